//! The statements in `sql/`, built into the program, in the order in which they are applied.
//!
//! Silver comes first, then gold and completeness, then bronze once for each exchange, and within bronze the topic last: a record finds
//! everything behind it in place before the first one is read.

/// One file under `sql/`.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    /// Path below `sql/`.
    pub(super) name: &'static str,
    /// What it says, placeholders included.
    pub(super) text: &'static str,
}

impl File {
    /// Whether it is applied once for each exchange.
    pub(super) fn is_per_exchange(&self) -> bool {
        self.name.starts_with("bronze/")
    }

    /// The number in front of its name: `silver/020_silver_trades.sql` is 20.
    pub(super) fn version(&self) -> u32 {
        let file_name = self.name.rsplit('/').next().unwrap_or(self.name);
        file_name.split('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(File { name: $name, text: include_str!(concat!("../../../sql/", $name)) }),*]
    };
}

/// Every file, in order.
pub(super) const FILES: &[File] = files! {
    "silver/010_quarantine.sql"
    "silver/011_quarantine_retention.sql"
    "silver/020_silver_trades.sql"
    "silver/021_silver_codecs.sql"
    "silver/030_minute_marks.sql"
    "silver/032_marks_of_blocks.sql"
    "silver/033_recent_blocks.sql"
    "silver/034_note_blocks.sql"
    "silver/035_mark_minutes.sql"
    "silver/040_touched_minutes.sql"
    "silver/041_touch_marked.sql"
    "silver/042_touched_in_active_hours.sql"
    "silver/050_bury_twins.sql"
    "gold/010_gold_1m.sql"
    "gold/012_gold_1m_reach.sql"
    "gold/013_touch_recomputed.sql"
    "gold/020_pending_minutes.sql"
    "gold/023_pending_reach.sql"
    "gold/024_extend_minutes.sql"
    "gold/025_find_pending.sql"
    "gold/026_recompute_minutes.sql"
    "gold/030_gold_1h.sql"
    "gold/031_recompute_hours.sql"
    "gold/040_ohlcv_1m.sql"
    "gold/041_ohlcv_5m.sql"
    "gold/042_ohlcv_15m.sql"
    "gold/043_ohlcv_30m.sql"
    "gold/044_ohlcv_1h.sql"
    "gold/045_ohlcv_1d.sql"
    "gold/046_ohlcv_now.sql"
    "gold/050_touch_unfinished.sql"
    "gold/051_sweep.sql"
    "gold/060_silver_retention.sql"
    "completeness/010_trade_ids.sql"
    "completeness/020_gaps.sql"
    "completeness/021_gap_retention.sql"
    "completeness/030_minute_ids.sql"
    "completeness/031_touch_counted.sql"
    "completeness/032_uncounted_minutes.sql"
    "completeness/035_find_uncounted.sql"
    "completeness/036_count_minutes.sql"
    "completeness/040_hour_ids.sql"
    "completeness/041_hours_of_minutes.sql"
    "completeness/042_count_hours.sql"
    "completeness/052_missing_ranges.sql"
    "completeness/053_missing_times.sql"
    "completeness/054_completeness.sql"
    "completeness/060_touch_uncounted.sql"
    "completeness/061_sweep_uncounted.sql"
    "bronze/010_bronze_trades.sql"
    "bronze/011_bronze_retention.sql"
    "bronze/012_record_trade_ids.sql"
    "bronze/013_bronze_codecs.sql"
    "bronze/020_judged_trades.sql"
    "bronze/021_raw_trades.sql"
    "bronze/022_parsed_trades.sql"
    "bronze/023_odd_trades.sql"
    "bronze/024_take_trades.sql"
    "bronze/025_set_aside_trades.sql"
    "bronze/026_parse_trades.sql"
    "bronze/030_unify_trades.sql"
    "bronze/031_keep_trades.sql"
    "bronze/032_refuse_trades.sql"
    "bronze/034_judged_gaps.sql"
    "bronze/035_keep_gaps.sql"
    "bronze/036_refuse_gaps.sql"
    "bronze/037_kafka_gaps.sql"
    "bronze/038_read_gaps.sql"
    "bronze/039_judge_trades.sql"
    "bronze/040_kafka_trades.sql"
    "bronze/041_read_trades.sql"
};

/// Files of earlier versions, each with its object, which a file with a higher number makes now. A database may have
/// applied them.
pub(super) const RETIRED: &[(&str, &str)] = &[
    ("silver/031_mark_minutes.sql", "mark_minutes"),
    ("gold/011_touch_recomputed.sql", "touch_recomputed"),
    ("gold/021_find_pending.sql", "find_pending"),
    ("gold/022_recompute_minutes.sql", "recompute_minutes"),
    ("completeness/033_find_uncounted.sql", "find_uncounted"),
    ("completeness/034_count_minutes.sql", "count_minutes"),
    ("completeness/050_missing_ranges.sql", "missing_ranges"),
    ("completeness/051_completeness.sql", "completeness"),
    ("bronze/033_judge_trades.sql", "judge_trades_{{exchange}}"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn what_a_retired_file_made_another_makes_now() {
        for (name, object) in RETIRED {
            assert!(FILES.iter().all(|file| file.name != *name), "{name} is in use");
            let makes = format!("VIEW IF NOT EXISTS {{{{database}}}}.{object}");
            let made = FILES.iter().filter_map(|file| file.text.split_once(&makes));
            assert!(made.filter(|(_, rest)| rest.starts_with([' ', '\n'])).count() == 1, "nothing makes {object}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql");
        let mut on_disk = BTreeSet::new();
        for folder in ["bronze", "silver", "gold", "completeness"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                on_disk.insert(format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy()));
            }
        }
        let built_in: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(on_disk, built_in);
        assert_eq!(built_in.len(), FILES.len(), "a file is listed twice");
    }

    #[test]
    fn files_stand_in_the_order_of_their_numbers() {
        for folder in ["silver/", "gold/", "completeness/", "bronze/"] {
            let versions: Vec<u32> =
                FILES.iter().filter(|file| file.name.starts_with(folder)).map(File::version).collect();
            assert!(versions.is_sorted() && versions.iter().all(|&version| version > 0), "{folder}: {versions:?}");
        }
    }

    #[test]
    fn every_file_opens_with_a_comment_and_holds_one_statement() {
        for file in FILES {
            assert!(file.text.starts_with("-- "), "{} does not say what it is for", file.name);
            let mut code = file.text.lines().filter(|line| !line.starts_with("--"));
            assert!(code.all(|line| !line.contains(';')), "{} ends or separates statements", file.name);
        }
    }
}
