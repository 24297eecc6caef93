//! White space at the ends of lines and of the answer, and the file's own line ends.

use super::surroundings::Surroundings;

/// `answer` without white space at the ends of its lines; at its own end it keeps what separates
/// it from the rest of the line.
pub fn trailing(answer: &str, around: &Surroundings<'_>) -> String {
    if answer.trim().is_empty() {
        return String::new();
    }
    let glued = !around.ends_line() && !around.line_after.starts_with([' ', '\t']);
    let end = if glued { answer } else { answer.trim_end() };
    let (above, last) = end.rsplit_once('\n').map_or((None, end), |(a, b)| (Some(a), b));
    let above = above.into_iter().flat_map(|above| above.split('\n').map(str::trim_end));
    above.chain([last]).collect::<Vec<_>>().join("\n")
}

/// `answer` with the file's own line ends.
pub fn line_ends(answer: &str, around: &Surroundings<'_>) -> String {
    let plain = answer.replace("\r\n", "\n");
    if around.newline == "\n" { plain } else { plain.replace('\n', around.newline) }
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::check;
    use super::*;

    #[test]
    fn lines_have_no_white_space_at_their_ends() {
        check(trailing, "ˇ", "a  \n\t\nb \n\n", "a\n\nb");
        check(trailing, "ˇ", "  \n ", "");
    }

    #[test]
    fn a_space_before_the_rest_of_the_line_stays() {
        check(trailing, "x = ˇy", "a + ", "a + ");
        check(trailing, "x = ˇ + y", "a ", "a");
    }

    #[test]
    fn files_with_carriage_returns_keep_them() {
        check(line_ends, "a\r\nˇ", "b\nc", "b\r\nc");
        check(line_ends, "a\nˇ", "b\nc", "b\nc");
    }
}
