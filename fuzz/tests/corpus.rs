//! Every target over its corpus, and over mutations of it that are the same each time.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;
use tapedeck_fuzz::{TARGETS, Target};

/// Mutations of each target, as far as there is time.
const MUTATIONS: usize = 3_000;
const TIME: Duration = Duration::from_secs(5);
const SEED: u64 = 47;

/// Bytes that matter to texts, and some that matter to numbers.
const TELLING: &[u8] = b"{}[]\",:\\ \n\t-+.eE0123456789=#'\x00\x01\x07\x1b\x7f\x80\xc2\x9b\xe2\xff";

#[test]
fn every_target_takes_its_corpus_and_what_becomes_of_it() {
    for target in TARGETS {
        let corpus = corpus(target);
        assert!(corpus.len() > 2, "{} has no corpus", target.name);
        for (file, bytes) in &corpus {
            run(target, bytes, &file.display().to_string());
        }
        let (mut rng, began) = (Rng::with_seed(SEED), Instant::now());
        let done = (0..MUTATIONS).take_while(|_| began.elapsed() < TIME).filter(|number| {
            let bytes = mutated(&corpus, &mut rng);
            run(target, &bytes, &format!("mutation {number} of seed {SEED}: {}", bytes.escape_ascii()));
            true
        });
        println!("{}: {} inputs and {} mutations", target.name, corpus.len(), done.count());
    }
}

/// Runs a target; a panic is preceded by what it was about.
fn run(target: &Target, bytes: &[u8], what: &str) {
    if std::panic::catch_unwind(|| (target.run)(bytes)).is_err() {
        panic!("{} fails on {what}", target.name);
    }
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect()
}

/// A file of the corpus with some bytes changed, put in, taken out or repeated, or two of them joined.
fn mutated(corpus: &[(PathBuf, Vec<u8>)], rng: &mut Rng) -> Vec<u8> {
    let pick = |rng: &mut Rng| corpus[rng.usize(..corpus.len())].1.clone();
    let mut bytes = pick(rng);
    if rng.u8(..) < 40 {
        let other = pick(rng);
        bytes.truncate(rng.usize(..=bytes.len()));
        bytes.extend_from_slice(&other[rng.usize(..=other.len())..]);
    }
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(..=bytes.len());
        let end = (at + rng.usize(..16)).min(bytes.len());
        let byte = if rng.bool() { TELLING[rng.usize(..TELLING.len())] } else { rng.u8(..) };
        match rng.u8(..6) {
            0 => bytes.insert(at, byte),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => bytes.splice(at..at, vec![byte; 40]).for_each(drop),
            4 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
            _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
        }
    }
    bytes
}
