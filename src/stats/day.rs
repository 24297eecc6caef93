//! A day of the calendar (UTC), as counts are kept by.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Seconds of a day.
const SECONDS: u64 = 24 * 60 * 60;
/// The last day that is written with a year of four digits, 9999-12-31.
const LAST: u32 = 2_932_896;

/// A day, counted from 1970-01-01 (UTC); written as `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(u32);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day as in 2026-11-22")]
pub struct DayError(String);

impl Day {
    /// The day `number` days after 1970-01-01.
    pub fn new(number: u32) -> Self {
        Self(number.min(LAST))
    }

    /// The day of `time`; the first one for times before it.
    pub fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Self::new(u32::try_from(seconds / SECONDS).unwrap_or(LAST))
    }

    /// The day `days` before it.
    pub fn before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// The day after it.
    pub fn next(self) -> Self {
        Self::new(self.0.saturating_add(1))
    }
}

impl fmt::Display for Day {
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifted = self.0 + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u32::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = DayError;

    /// The inverse of the above, `days_from_civil`.
    fn from_str(text: &str) -> Result<Self, DayError> {
        let wrong = || DayError(text.chars().take(40).collect());
        let numbers: Option<Vec<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
        let Some(&[year @ 1970..=9999, month @ 1..=12, day @ 1..=31]) = numbers.as_deref() else {
            return Err(wrong());
        };
        let year_from_march = year - u32::from(month <= 2);
        let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        let found = Self::new(era * 146_097 + of_era - 719_468);
        // The 31st of February, or digits other than written here.
        if found.to_string() == text { Ok(found) } else { Err(wrong()) }
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_are_written_as_the_calendar_has_them() {
        for (number, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_779, "2026-11-22"),
            (LAST, "9999-12-31"),
        ] {
            assert_eq!(Day::new(number).to_string(), text);
            assert_eq!(text.parse(), Ok(Day::new(number)));
        }
        assert_eq!(Day::new(u32::MAX), Day::new(LAST));
        let noon = UNIX_EPOCH + Duration::from_hours(20_779 * 24 + 12);
        assert_eq!(Day::of(noon).to_string(), "2026-11-22");
        assert_eq!(Day::of(UNIX_EPOCH - Duration::from_hours(1)), Day::new(0));
    }

    #[test]
    fn every_day_reads_back_and_follows_the_one_before() {
        for number in 0..60_000 {
            let day = Day::new(number);
            assert_eq!(day.to_string().parse(), Ok(day));
            assert!(day.to_string() < day.next().to_string());
            assert_eq!(day.next().before(1), day);
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2026-02-30", "2026-13-01", "1969-12-31", "2026-1-1", "+2026-01-01", "x"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
