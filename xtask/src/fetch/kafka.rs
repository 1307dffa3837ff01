//! Fetches Kafka: its jars by Maven, each checked; then a formatted storage folder and the JVM's own image of its classes,
//! both made once here so that each broker starts in half the time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::Sha256;

use super::pins::KafkaPins;
use super::progress::{Board, Line};
use super::tool::{JAVA, MAVEN};
use super::{WORK, checksum, room, seal};
use crate::stack::settings;

/// Where Kafka's parts are.
pub(crate) struct Parts {
    pub(crate) jars: PathBuf,
    pub(crate) formatted: PathBuf,
    pub(crate) classes: Option<PathBuf>,
}

const JARS: &str = "libs";
const FORMATTED: &str = "formatted";
const CLASSES: &str = "classes.jsa";
/// Jars twice (Maven's cache and ours), Maven's own plugins, and the image of the classes.
const ROOM: u64 = 300_000_000;
/// The oldest Java that this Kafka runs on.
const JAVA_NEEDED: u32 = 17;
/// How long the training broker may take to start: a busy machine of one core.
const TRAINING: std::time::Duration = std::time::Duration::from_secs(120);

/// Fails with a sentence if something must be fetched and a tool for it is missing.
pub(crate) fn prerequisites(home: &Path, pins: &KafkaPins) -> Result<()> {
    if seal::is_whole(&folder(home, pins), &content(pins)) {
        return Ok(());
    }
    need_java()?;
    MAVEN.need("fetching Kafka")
}

fn folder(home: &Path, pins: &KafkaPins) -> PathBuf {
    home.join(format!("kafka-{}", pins.version))
}

/// Kafka's parts, after fetching and preparing them if they are not there whole.
pub(crate) fn ensure(home: &Path, pins: &KafkaPins, board: &Board) -> Result<Parts> {
    let folder = folder(home, pins);
    let content = content(pins);
    if !seal::is_whole(&folder, &content) {
        need_java()?;
        room::need(home, ROOM, "fetching Kafka")?;
        let line = board.line(&format!("fetching Kafka {}", pins.version), pins.bytes);
        let work = tempfile::Builder::new().prefix(WORK).tempdir_in(home).context("no work folder can be made")?;
        let made = work.path().join("made");
        let jars = made.join(JARS);
        copy_jars(work.path(), &jars, pins, &line)?;
        check(&jars, pins)?;
        line.step("preparing");
        format(&jars, work.path(), &made.join(FORMATTED))?;
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("{} is torn and cannot be removed", folder.display()))?;
        }
        std::fs::rename(&made, &folder).with_context(|| format!("{} cannot be moved into place", folder.display()))?;
        // The image holds the jars' paths and is refused by the JVM if they move, so it is made where they stay.
        if let Err(error) = train(&folder, work.path()) {
            eprintln!("Kafka will start more slowly, the JVM made no image of its classes: {error:#}");
        }
        seal::seal(&folder, &content)?;
        line.done();
    }
    let classes = folder.join(CLASSES);
    Ok(Parts {
        jars: folder.join(JARS),
        formatted: folder.join(FORMATTED),
        classes: classes.exists().then_some(classes),
    })
}

/// What the folder is made from, so that other pins or another JVM's image are seen.
fn content(pins: &KafkaPins) -> String {
    let sums = pins.jars.values().map(String::as_str);
    format!("{} log4j {} {}", pins.version, pins.log4j, sums.collect::<Vec<_>>().join(" "))
}

fn copy_jars(work: &Path, jars: &Path, pins: &KafkaPins, line: &Line) -> Result<()> {
    std::fs::create_dir_all(jars).context("no work folder can be made")?;
    let pom = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>local</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>\n  \
         <dependencies>\n    \
         <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_{}</artifactId><version>{}</version></dependency>\n    \
         <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>\
         <version>{}</version></dependency>\n  </dependencies>\n</project>\n",
        pins.scala, pins.version, pins.log4j
    );
    let pom_path = work.join("pom.xml");
    std::fs::write(&pom_path, pom).with_context(|| format!("{} cannot be written", pom_path.display()))?;
    let mut command = MAVEN.command();
    // Strict checksums: Maven compares each jar with the .sha1 that the repository publishes, and we with our own pins.
    command.args(["--batch-mode", "--quiet", "--strict-checksums", "--file"]).arg(&pom_path);
    command.arg(format!("-Dmaven.repo.local={}", work.join("m2").display()));
    command
        .arg(format!("org.apache.maven.plugins:maven-dependency-plugin:{}:copy-dependencies", pins.dependency_plugin));
    command.arg(format!("-DoutputDirectory={}", jars.display())).arg("-DincludeScope=runtime");
    let repository = work.join("m2");
    MAVEN.run(command, "fetching Kafka", || line.follow(&repository)).map(drop)
}

fn check(jars: &Path, pins: &KafkaPins) -> Result<()> {
    for entry in std::fs::read_dir(jars)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !pins.jars.contains_key(&name) {
            bail!("Maven brought {name}, which xtask/pins.toml does not know: the dependencies of Kafka have changed");
        }
    }
    for (name, pinned) in &pins.jars {
        let path = jars.join(name);
        if !path.exists() {
            bail!("Maven did not bring {name}, which xtask/pins.toml asks for: the dependencies of Kafka have changed");
        }
        let sha256 = checksum::of_file::<Sha256>(&path)?;
        if sha256 != *pinned {
            bail!(
                "{name} has the sha256 {sha256}, but {pinned} is pinned in xtask/pins.toml: do not use it before you know why"
            );
        }
    }
    Ok(())
}

/// Formats an empty storage folder by Kafka's own tool. Each new broker gets a copy, and is spared a JVM start.
fn format(jars: &Path, work: &Path, formatted: &Path) -> Result<()> {
    let properties = work.join("format.properties");
    let ports = settings::KafkaPorts { broker: 1, controller: 2 };
    std::fs::write(&properties, settings::kafka(&ports, formatted)).context("the properties cannot be written")?;
    let mut command = JAVA.command();
    command.args(["-XX:TieredStopAtLevel=1", "-cp"]).arg(jars.join("*")).arg("kafka.tools.StorageTool");
    command.args(["format", "--cluster-id", settings::CLUSTER, "--config"]).arg(&properties);
    JAVA.run(command, "formatting Kafka's storage", || ()).map(drop)
}

/// Fails with a sentence when java is missing or too old, before Maven, which needs it too, fails with a riddle.
fn need_java() -> Result<()> {
    let mut command = JAVA.command();
    command.arg("-version");
    let answer = JAVA.run(command, "running Kafka", || ())?;
    // The first line reads `openjdk version "17.0.15" 2025-04-15`.
    let version = answer.lines().find_map(|line| line.split_once("version \"")?.1.split(['.', '"', '-']).next());
    match version.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major < JAVA_NEEDED => {
            bail!("Kafka needs Java {JAVA_NEEDED} or newer, and `java` is version {major}: {}", JAVA.install)
        }
        _ => Ok(()),
    }
}

/// Starts a broker once and stops it, so that the JVM writes down the classes that it loaded.
fn train(folder: &Path, work: &Path) -> Result<()> {
    use crate::stack::kafka::{Broker, Plan};
    let plan = Plan {
        folder: work.join("training"),
        ports: settings::KafkaPorts::free()?,
        jars: folder.join(JARS),
        formatted: folder.join(FORMATTED),
        classes: None,
        write_classes: Some(folder.join(CLASSES)),
        quick: true,
        detached: false,
    };
    let broker = Broker::start(plan, TRAINING)?;
    broker.stop()?;
    if !folder.join(CLASSES).exists() {
        bail!("it ended without writing {CLASSES}");
    }
    Ok(())
}
