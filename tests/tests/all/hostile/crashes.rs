//! Plugins that crash, loop or eat memory on a frame: that frame is refused with its kind, all others are decoded.

use std::sync::Arc;
use std::time::Duration;

use tapedeck::plugin::{Decoded, Instance, Plugin, RefusalKind, Runtime, RuntimeSettings};

use super::{RECEIVED_AT_US, batch, decode, folder, ids, open, plugin, request, trade};

/// Decodes the frame between two good ones, and gives its refusal. The two must be unharmed, and so must the plugin.
fn refused_alone(instance: &mut Instance, frame: &[u8]) -> (RefusalKind, String) {
    let decoded = decode(instance, &[&trade(2), frame, &trade(3)]);
    assert_eq!(ids(&decoded), ["2", "3"], "{:?}", decoded.refused);
    assert_eq!(decoded.faults, 2, "once in the batch, once alone");
    assert_eq!(decoded.broken, None);
    let [refused] = &decoded.refused[..] else { panic!("{:?}", decoded.refused) };
    assert_eq!(refused.frame, 1);
    let after = decode(instance, &[trade(4)]);
    assert_eq!((ids(&after), after.faults), (vec!["4".to_owned()], 0));
    (refused.kind, refused.reason.clone())
}

#[test]
fn a_crash_costs_only_its_frame() {
    let mut instance = open("traps");
    let mut bystander = open("loops");
    for (marker, kind, part) in [
        ("PANIC", RefusalKind::Trap, "crashed"),
        ("ABORT", RefusalKind::Trap, "crashed"),
        ("UNREACHABLE", RefusalKind::Trap, "crashed"),
        ("OUT_OF_BOUNDS", RefusalKind::Trap, "out of bounds"),
        // The stack of its own memory ends before that of the sandbox.
        ("STACK", RefusalKind::Trap, "out of bounds"),
    ] {
        let (refused, reason) = refused_alone(&mut instance, marker.as_bytes());
        assert_eq!(refused, kind, "{marker}: {reason}");
        assert!(reason.contains(part), "{marker}: {reason}");
        assert!(reason.contains("; in "), "no function is named: {reason}");
        assert_eq!(ids(&decode(&mut bystander, &[trade(7)])), ["7"]);
    }
}

#[test]
fn a_loop_is_stopped_and_costs_only_its_frame() {
    let mut instance = open("loops");
    let (kind, reason) = refused_alone(&mut instance, b"LOOP");
    assert_eq!(kind, RefusalKind::Limit);
    assert!(reason.contains("longer than the 400 ms"), "{reason}");
}

#[test]
fn one_that_loops_too_often_gives_up_in_bounded_time_and_accounts_for_every_frame() {
    let call_time = Duration::from_millis(100);
    let runtime = Runtime::new(&RuntimeSettings { call_time, ..RuntimeSettings::default() }).unwrap();
    let plugin = Arc::new(Plugin::load(&runtime, &folder().join("loops.wasm")).unwrap());
    let mut instance = plugin.open(request(&[])).unwrap().0;
    let mut frames = vec![trade(0)];
    frames.resize(31, b"LOOP".to_vec());
    frames.push(trade(1));
    let decoded = decode(&mut instance, &frames);
    assert_eq!(ids(&decoded), ["0"]);
    assert!(decoded.broken.as_ref().is_some_and(|reason| reason.contains("of one batch")), "{:?}", decoded.broken);
    assert_eq!(decoded.refused.iter().map(|refused| refused.frame).collect::<Vec<_>>(), (1..32).collect::<Vec<_>>());
    let limits = decoded.refused.iter().filter(|refused| refused.kind == RefusalKind::Limit).count();
    // Each took at least the time of a call, and one went into the batch as a whole.
    assert!((1..=Instance::MAX_WASTE as usize).contains(&limits), "{limits}");
    assert!(decoded.refused[30].reason.starts_with("not decoded: "), "{:?}", decoded.refused[30]);
    // It stays broken, and still accounts for every frame.
    let after = decode(&mut instance, &[trade(2), trade(3)]);
    assert!(after.broken.is_some() && after.trades.is_empty() && after.refused.len() == 2);
    let mut fresh = plugin.open(request(&[])).unwrap().0;
    assert_eq!(ids(&decode(&mut fresh, &[trade(2)])), ["2"]);
}

#[test]
fn one_that_crashes_on_every_frame_gives_up() {
    let mut instance = open("traps");
    let mut seen = 0;
    let mut decoded = Decoded::new();
    while decoded.broken.is_none() {
        instance.decode(&batch(&[b"PANIC"; 10]), RECEIVED_AT_US, &mut decoded);
        assert_eq!(decoded.refused.len(), 10);
        seen += decoded.refused.iter().filter(|refused| refused.kind == RefusalKind::Trap).count();
        assert!(seen <= 64);
    }
    assert_eq!(seen, 64);
    assert_eq!(decoded.broken.as_deref(), Some("it failed on 64 frames in a row"));
}

#[test]
fn many_crashes_among_good_frames_are_borne() {
    let mut instance = open("traps");
    let frames: Vec<Vec<u8>> = (0..256).map(|id| if id % 3 == 0 { b"PANIC".to_vec() } else { trade(id) }).collect();
    let decoded = decode(&mut instance, &frames);
    assert_eq!((decoded.broken, decoded.refused.len(), decoded.trades.len()), (None, 86, 170));
}

#[test]
fn eating_memory_is_a_limit_and_costs_only_its_frame() {
    let mut instance = open("eats-memory");
    let (kind, reason) = refused_alone(&mut instance, b"EAT");
    assert_eq!(kind, RefusalKind::Limit, "{reason}");
    assert!(reason.contains("more memory than its 64 MiB"), "{reason}");
}

#[test]
fn a_leak_costs_no_frame_at_all() {
    let mut instance = open("eats-memory");
    let (mut faults, mut traded) = (0, Vec::new());
    for id in 0..200 {
        let decoded = decode(&mut instance, &[b"LEAK".to_vec(), trade(id)]);
        assert_eq!(decoded.refused, []);
        faults += decoded.faults;
        traded.extend(ids(&decoded));
    }
    // Whenever the leak has filled the memory, a fresh instance takes over.
    assert!((2..=5).contains(&faults), "{faults}");
    assert_eq!(traded, (0..200).map(|id| id.to_string()).collect::<Vec<_>>());
}

#[test]
fn wasi_is_linked_to_nothing() {
    let mut instance = open("imports-wasi");
    let (kind, reason) = refused_alone(&mut instance, b"FILES");
    assert_eq!(kind, RefusalKind::Trap);
    assert!(reason.contains("wasi:filesystem/preopens@0.2.0#get-directories"), "{reason}");
}

#[test]
fn a_hundred_instances_stand_side_by_side() {
    let (traps, loops) = (plugin("traps"), plugin("loops"));
    let mut instances: Vec<Instance> =
        (0..100).map(|number| if number % 2 == 0 { &traps } else { &loops }.open(request(&[])).unwrap().0).collect();
    for (id, instance) in (0..).zip(&mut instances) {
        let decoded = decode(instance, &[b"PANIC".to_vec(), trade(id)]);
        assert_eq!(ids(&decoded), [id.to_string()]);
        assert_eq!(decoded.refused.len(), 1);
    }
}
