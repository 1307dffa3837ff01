//! The options of a feed, as the user set them or as the plugin's description says they default to.

use std::ops::RangeInclusive;

use crate::{OpenError, OptionInfo, Setting};

/// The value of each option that the plugin describes.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    options: &'a [OptionInfo],
    given: &'a [Setting],
}

impl<'a> Settings<'a> {
    /// Checks what the user gave against the options of the plugin's description.
    ///
    /// # Errors
    ///
    /// A sentence: an option that the plugin does not know (it lists those that it does), or one that is given twice.
    pub fn new(given: &'a [Setting], options: &'a [OptionInfo]) -> Result<Self, OpenError> {
        for (index, setting) in given.iter().enumerate() {
            let name = &setting.name;
            if !options.iter().any(|option| option.name == *name) {
                let known: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
                let known =
                    if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
                return Err(OpenError::new(format!("the plugin has no option {name:?}; {known}")));
            }
            if given[..index].iter().any(|other| other.name == *name) {
                return Err(OpenError::new(format!("the option {name:?} is given twice")));
            }
        }
        Ok(Self { options, given })
    }

    /// The value of an option, as text.
    ///
    /// # Errors
    ///
    /// A sentence, if the plugin's description does not have the option: a fault of the plugin.
    pub fn text(&self, name: &str) -> Result<&'a str, OpenError> {
        let given = self.given.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str());
        let default = self.options.iter().find(|option| option.name == name).map(|option| option.default.as_str());
        given.or(default).ok_or_else(|| {
            OpenError::new(format!("the plugin does not describe its option {name:?}: a fault of the plugin"))
        })
    }

    /// The value of an option that is one of a few words.
    ///
    /// # Errors
    ///
    /// A sentence that lists the words, or as of [`text`](Self::text).
    pub fn one_of(&self, name: &str, words: &[&'static str]) -> Result<&'static str, OpenError> {
        let value = self.text(name)?;
        let known = words.iter().find(|word| **word == value);
        known
            .copied()
            .ok_or_else(|| OpenError::new(format!("option {name:?} is {value:?}; it can be {}", words.join(", "))))
    }

    /// The value of an option that is `true` or `false`.
    ///
    /// # Errors
    ///
    /// As of [`one_of`](Self::one_of).
    pub fn flag(&self, name: &str) -> Result<bool, OpenError> {
        Ok(self.one_of(name, &["true", "false"])? == "true")
    }

    /// The value of an option that is a whole number within a range.
    ///
    /// # Errors
    ///
    /// A sentence with the range, or as of [`text`](Self::text).
    pub fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<u32, OpenError> {
        let value = self.text(name)?;
        let number = value.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| {
            OpenError::new(format!("option {name:?} is {value:?}; it can be a number from {least} to {most}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Vec<OptionInfo> {
        let option = |name: &str, default: &str| OptionInfo {
            name: name.to_owned(),
            default: default.to_owned(),
            help: String::new(),
        };
        vec![option("snapshot", "true"), option("idle_ms", "5000")]
    }

    fn given(settings: &[(&str, &str)]) -> Vec<Setting> {
        settings.iter().map(|(name, value)| Setting { name: (*name).to_owned(), value: (*value).to_owned() }).collect()
    }

    #[test]
    fn takes_defaults_and_what_is_given() {
        let (options, given) = (options(), given(&[("idle_ms", "700")]));
        let settings = Settings::new(&given, &options).unwrap();
        assert!(settings.flag("snapshot").unwrap());
        assert_eq!(settings.number("idle_ms", 1..=10_000).unwrap(), 700);
    }

    #[test]
    fn refuses_with_a_sentence() {
        let options = options();
        let unknown = Settings::new(&given(&[("snapshots", "true")]), &options).unwrap_err();
        assert_eq!(unknown.reason, "the plugin has no option \"snapshots\"; it has snapshot, idle_ms");
        assert!(Settings::new(&given(&[("snapshot", "true"), ("snapshot", "true")]), &options).is_err());
        let given = given(&[("snapshot", "yes"), ("idle_ms", "0")]);
        let settings = Settings::new(&given, &options).unwrap();
        assert_eq!(
            settings.flag("snapshot").unwrap_err().reason,
            "option \"snapshot\" is \"yes\"; it can be true, false"
        );
        assert!(settings.number("idle_ms", 1..=10_000).is_err());
        assert!(settings.text("depth").is_err());
    }
}
