//! What a plugin says of itself: what the host believes of it fits into topics, tables, labels and terminals.

use tapedeck::plugin::{Rate, fuzz};

use super::check_sentence;

pub(super) fn run(bytes: &[u8]) {
    let description = match fuzz::description(bytes) {
        Ok(description) => description,
        Err(reason) => return check_sentence(&reason),
    };
    let of_letters = |text: &str, more: &[u8]| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || more.contains(&byte))
    };
    let options = &description.options;
    for name in [&description.name, &description.exchange].into_iter().chain(options.iter().map(|option| &option.name))
    {
        assert!((1..=32).contains(&name.len()) && of_letters(name, b"_"), "{name:?}");
    }
    let version = description.version.to_ascii_lowercase();
    assert!((5..=64).contains(&version.len()) && of_letters(&version, b".-+"), "{version:?}");
    assert!(description.hosts.len() <= 32 && options.len() <= 64);
    for host in &description.hosts {
        assert!((1..=253).contains(&host.len()) && of_letters(host, b".-"), "{host:?}");
    }
    for (index, option) in options.iter().enumerate() {
        assert!(options[..index].iter().all(|before| before.name != option.name), "{options:?}");
        check_sentence(&option.help);
        check_sentence(&option.default);
        assert!(option.default.len() <= 256 && option.help.len() <= 1024);
    }
    let limits = description.limits;
    assert!(limits.subscriptions > 0 && limits.lifetime.is_none_or(|lifetime| !lifetime.is_zero()));
    for Rate { count, window } in [Some(limits.connects), Some(limits.messages), limits.rest].into_iter().flatten() {
        assert!(count > 0 && !window.is_zero());
    }
}
