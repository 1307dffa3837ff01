//! What is read is what wasmtime's own code reads.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::*;
use wasmtime::component::{Component, Instance, Lift, Linker};
use wasmtime::{Engine, Store};

use super::*;

/// Answers with whatever bytes it is given, said to be trades.
const ECHO: &str = r#"
(component
  (core module $module
    (memory (export "memory") 1)
    (data (i32.const 16) "{\"x\":\"\c3\bc\"}")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "echo") (param $start i32) (param $bytes i32) (param $at i32) (param $count i32) (result i32)
      (i32.store (i32.const 0) (i32.add (local.get $start) (local.get $at)))
      (i32.store (i32.const 4) (local.get $count))
      (i32.const 0)))
  (core instance $instance (instantiate $module))
  (type $a (record (field "high" s64) (field "low" u64) (field "scale" u8)))
  (export $decimal "decimal" (type $a))
  (type $b (enum "unknown" "buy" "sell"))
  (export $side "side" (type $b))
  (type $c (enum "live" "snapshot" "backfill"))
  (export $source "source" (type $c))
  (type $d (variant (case "number" u64) (case "text" string)))
  (export $trade-id "trade-id" (type $d))
  (type $e (record
    (field "frame" u32) (field "market" u32) (field "id" $trade-id) (field "order" u64) (field "count" u32)
    (field "price" $decimal) (field "quantity" $decimal) (field "side" $side) (field "timestamp" s64)
    (field "source" $source) (field "vendor" string)))
  (export $trade "trade" (type $e))
  (func (export "echo") (param "bytes" (list u8)) (param "at" u32) (param "count" u32) (result (list $trade))
    (canon lift (core func $instance "echo") (memory (core memory $instance "memory")) (realloc (core func $instance "realloc")))))
"#;

/// A sandbox that echoes, of its own for each answer: one that gave a wrong one is of no more use.
struct Echo {
    engine: Engine,
    component: Component,
}

impl Echo {
    fn new() -> Self {
        let engine = Engine::default();
        Self { component: Component::new(&engine, ECHO).unwrap(), engine }
    }

    fn instance(&self) -> (Store<()>, Instance) {
        let mut store = Store::new(&self.engine, ());
        // Enough for these, not for texts that share their memory.
        store.set_hostcall_fuel(100_000);
        let instance = Linker::new(&self.engine).instantiate(&mut store, &self.component).unwrap();
        (store, instance)
    }

    /// So many trades that lie `at` behind the bytes' start, as `T` reads them; or what it says of them.
    fn read<T: Lift + 'static>(&self, bytes: &[u8], at: u32, count: u32) -> Result<T, String> {
        let (mut store, instance) = self.instance();
        let echo = instance.get_typed_func::<(&[u8], u32, u32), (T,)>(&mut store, "echo").unwrap();
        echo.call(&mut store, (bytes, at, count)).map(|(read,)| read).map_err(|error| error.root_cause().to_string())
    }

    /// Reads with both; they agree.
    fn check(&self, bytes: &[u8], at: u32, count: u32) -> Result<Vec<Trade>, String> {
        let generated = self.read::<Generated>(bytes, at, count);
        let generated = generated.map(|trades| trades.into_iter().map(Trade::from).collect::<Vec<_>>());
        let own = self.read::<Trades>(bytes, at, count).map(|trades| trades.0);
        assert_eq!(own, generated);
        own
    }
}

/// A trade of random bytes, but for what would mostly be wrong then.
fn trade() -> impl Strategy<Value = Vec<u8>> {
    let text = || {
        prop_oneof![
            4 => any::<u32>().prop_map(|pointer| (pointer % 70_000, 0)),
            4 => Just((16, 10)),
            1 => (0_u32..70_000, 0_u32..100),
            1 => any::<(u32, u32)>(),
        ]
    };
    let tag = |most: u8| prop_oneof![20 => 0..most, 1 => any::<u8>()];
    (vec(any::<u8>(), TRADE), text(), text(), tag(2), tag(3), tag(3)).prop_map(
        |(mut bytes, id, vendor, kind, side, source)| {
            (bytes[8], bytes[88], bytes[104]) = (kind, side, source);
            for (place, (pointer, length)) in [(16, id), (108, vendor)] {
                if place != 16 || kind != 0 {
                    bytes[place..place + 4].copy_from_slice(&pointer.to_le_bytes());
                    bytes[place + 4..place + 8].copy_from_slice(&length.to_le_bytes());
                }
            }
            bytes
        },
    )
}

#[test]
fn trades_are_read_as_by_wasmtime_itself() {
    let (echo, read, refused) = (Echo::new(), Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(500));
    runner
        .run(&vec(trade(), 0..6), |trades| {
            match echo.check(&trades.concat(), 0, trades.len() as u32) {
                Ok(trades) => read.set(read.get() + trades.len()),
                Err(_) => refused.set(refused.get() + 1),
            }
            Ok(())
        })
        .unwrap();
    let (read, refused) = (read.get(), refused.get());
    assert!(read > 100 && refused > 50, "{read} trades read, {refused} lists refused");
}

#[test]
fn a_list_that_does_not_lie_in_memory_is_refused_as_by_wasmtime_itself() {
    let (echo, two) = (Echo::new(), [0; 2 * TRADE]);
    assert_eq!(echo.check(&two, 8, 1).map(|trades| trades.len()), Ok(1));
    for (at, count, part) in [
        (4, 1, "not aligned"),
        (0, 1_000_000, "out of bounds"),
        (65_536, 1, "out of bounds"),
        (0, u32::MAX, "out of bounds"),
        (u32::MAX - 1031, 0, "out of bounds"),
    ] {
        let said = echo.check(&two, at, count).unwrap_err();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn decimals_keep_their_sign_and_their_halves() {
    let echo = Echo::new();
    for (high, low, scale, text) in [
        (-1_i64, u64::MAX, 0, "-1"),
        (0, u64::MAX, 0, "18446744073709551615"),
        (1, 0, 0, "18446744073709551616"),
        (i64::MIN, 0, 38, "-1.70141183460469231731687303715884105728"),
    ] {
        let mut bytes = vec![0; TRADE];
        bytes[40..48].copy_from_slice(&high.to_le_bytes());
        bytes[48..56].copy_from_slice(&low.to_le_bytes());
        bytes[56] = scale;
        assert_eq!(echo.check(&bytes, 0, 1).unwrap()[0].price.to_string(), text);
    }
}

#[test]
fn texts_that_share_their_memory_spend_fuel() {
    let echo = Echo::new();
    let mut bytes = [0; TRADE];
    bytes[112..116].copy_from_slice(&30_000_u32.to_le_bytes());
    assert!(echo.check(&bytes.repeat(2), 0, 2).is_ok());
    assert!(echo.check(&bytes.repeat(4), 0, 4).unwrap_err().contains("fuel"));
}
