//! ClickHouse out of `libchdb.so`: the library holds all of `clickhouse-local`, which can listen as a server does.
//!
//! It runs in a process of its own, a hidden subcommand of this crate's binary, because it takes over signals, threads
//! and memory, and because tests kill it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};

use crate::cargo;

/// Name of the hidden subcommand.
pub const COMMAND: &str = "clickhouse-server";

/// The last statement blocks on stdin, and so keeps the servers of the first two up until stdin closes.
const SCRIPT: &str =
    "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT count() FROM file('-', LineAsString) FORMAT Null";

type QueryCommandLine = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// Runs the server in this process until SIGTERM or SIGINT.
pub fn serve(library: &Path, config: &Path, path: &Path) -> Result<()> {
    // Blocked before the library starts its threads, so that all inherit it and only ours receives them.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    signals.thread_block().context("signals cannot be blocked")?;
    let (stdin, keeper) = nix::unistd::pipe().context("no pipe can be made")?;
    nix::unistd::dup2_stdin(&stdin).context("stdin cannot be replaced")?;
    drop(stdin);
    std::thread::spawn(move || close_on_signal(signals, keeper));

    let arguments = [
        "clickhouse-local".to_owned(),
        format!("--config-file={}", config.display()),
        format!("--path={}", path.display()),
        format!("--query={SCRIPT}"),
    ];
    let arguments = arguments.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
    let arguments = arguments.context("a path holds a zero byte")?;
    let mut pointers: Vec<*mut c_char> = arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    let count = c_int::try_from(pointers.len())?;
    pointers.push(std::ptr::null_mut());

    // SAFETY: the library is the pinned and checked one; its two functions have these signatures; `arguments` and
    // `pointers` outlive the call, and the result is only read.
    let message = unsafe {
        let library = libloading::Library::new(library)
            .with_context(|| format!("{} cannot be loaded; remove it and run this again", library.display()))?;
        let run = library.get::<QueryCommandLine>(b"chdb_query_cmdline\0").context("the library is another one")?;
        let error_of = library.get::<ResultError>(b"chdb_result_error\0").context("the library is another one")?;
        let result = run(count, pointers.as_mut_ptr());
        let message = if result.is_null() {
            Some("no result".to_owned())
        } else {
            let error = error_of(result);
            (!error.is_null()).then(|| CStr::from_ptr(error).to_string_lossy().into_owned())
        };
        // Its threads and static objects do not survive an unloading.
        std::mem::forget(library);
        message
    };
    std::io::stderr().flush()?;
    match message {
        None => Ok(()),
        Some(message) => bail!("ClickHouse ended: {message}"),
    }
}

/// Ends the blocking query when asked to stop.
fn close_on_signal(signals: SigSet, keeper: OwnedFd) {
    if let Ok(signal) = signals.wait() {
        eprintln!("stopping on {signal}");
    }
    drop(keeper);
}

/// The binary that has the hidden subcommand: this process's own, or the one that cargo built beside it.
pub(crate) fn program() -> Result<PathBuf> {
    let current = std::env::current_exe().context("this program's own path is unknown")?;
    if current.file_stem().is_some_and(|name| name == "xtask") && !is_test(&current) {
        return Ok(current);
    }
    // A test binary lies in target/<profile>/deps; xtask, and every other binary, in target/<profile>.
    let folder = if is_test(&current) { current.parent().and_then(Path::parent) } else { current.parent() };
    let beside = folder.map(|folder| folder.join("xtask"));
    if let Some(beside) = beside.filter(|path| path.exists()) {
        return Ok(beside);
    }
    cargo::binary("xtask", cargo::Profile::Dev)
}

fn is_test(binary: &Path) -> bool {
    binary.parent().and_then(Path::file_name).is_some_and(|folder| folder == "deps")
}
