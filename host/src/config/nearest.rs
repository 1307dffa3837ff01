//! The nearest right word to a wrong one.

/// The candidate that was probably meant, if any is near enough to `word`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (closeness(&plain, &self::plain(candidate)), candidate))
        .filter(|(closeness, _)| *closeness >= 60)
        .max_by_key(|(closeness, _)| *closeness)
        .map(|(_, candidate)| candidate)
}

/// ` Did you mean "…"?`, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default()
}

/// `a, b and c`, or `nothing`.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// Words that differ only in case and separators are the same word misspelt.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Percent of letters that agree; a word that begins with the other one (`listen_address` for `listen`) is close.
fn closeness(word: &str, candidate: &str) -> u32 {
    if word.is_empty() || candidate.is_empty() {
        return 0;
    }
    if word.len() >= 3 && candidate.len() >= 3 && (word.starts_with(candidate) || candidate.starts_with(word)) {
        return 90;
    }
    (strsim::normalized_damerau_levenshtein(word, candidate) * 100.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_or_none() {
        for (word, expected) in [
            ("brokres", Some("brokers")),
            ("topicPrefix", Some("topic_prefix")),
            ("broker", Some("brokers")),
            ("linger", Some("linger_ms")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, ["brokers", "topic_prefix", "linger_ms", "partitions"]), expected, "{word}");
        }
    }

    #[test]
    fn lists_read_like_prose() {
        assert_eq!(listed([]), "nothing");
        assert_eq!(listed(["a"]), "a");
        assert_eq!(listed(["a", "b", "c"]), "a, b and c");
    }
}
