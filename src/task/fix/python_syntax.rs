//! Templates for Python's syntax errors: what its message says, at the places where it may be
//! meant. The interpreter decides; nothing here has to be right.

use super::candidate::Edit;
use super::effect::plain;
use crate::check::Diagnostic;
use crate::text::Span;

/// How many lines after an opening bracket are tried as its end.
const MAX_LINES: usize = 8;

/// Words that start a statement which ends in a colon.
const COMPOUND: &[&str] = &[
    "if", "elif", "else", "for", "while", "def", "class", "try", "except", "finally", "with",
    "match", "case", "async",
];

/// Repairs of `text` for the syntax error `diagnostic`, likeliest first.
pub(super) fn candidates(text: &str, diagnostic: &Diagnostic) -> Vec<Edit> {
    let source = Source { text };
    let line = source.line_at(diagnostic.span.start);
    let said = |words: &str| diagnostic.message.contains(words);
    let mut edits = Vec::new();
    if said("was never closed") {
        source.close_bracket(diagnostic.span.start, &mut edits);
    } else if said("unindent") || said("unexpected indent") {
        source.realign(line, &mut edits);
    } else if said("unmatched") || said("does not match") {
        source.drop_or_turn_bracket(diagnostic.span.start, &mut edits);
    } else if said("unterminated") || said("EOL while scanning") {
        source.close_quote(diagnostic.span.start, &mut edits);
    } else if said("Missing parentheses in call") {
        source.call_print(line, &mut edits);
    } else if said("expected an indented block") || said("outside function") {
        source.indent(line, &mut edits);
    } else if said("inconsistent use of tabs") {
        let whole = Span::new(0, text.len());
        edits.push(("expand tabs".to_owned(), whole, text.replace('\t', "        ")));
    } else if said("invalid character") || said("invalid non-printable") {
        source.plain_characters(line, &mut edits);
    } else if said("leading zeros") {
        source.strip_zeros(line, &mut edits);
    }
    if said("==") || said("cannot assign to") || said("invalid syntax") {
        source.compare(line, &mut edits);
    }
    if said("comma") {
        source.insert_comma(diagnostic.span, &mut edits);
    }
    if edits.is_empty() || said("expected ':'") || said("invalid syntax") {
        source.general(line, &mut edits);
    }
    edits
}

struct Source<'t> {
    text: &'t str,
}

impl<'t> Source<'t> {
    fn of(&self, span: Span) -> &'t str {
        span.of(self.text).unwrap_or_default()
    }

    /// The line around `offset`, without its end or the file's byte order mark.
    fn line_at(&self, offset: usize) -> Span {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let (before, after) = self.text.split_at(offset);
        let mark = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let start = before.rfind('\n').map_or(mark, |at| at + 1);
        let end = after.find(['\r', '\n']).map_or(self.text.len(), |at| offset + at);
        Span::new(start, end.max(start))
    }

    fn next_line(&self, line: Span) -> Option<Span> {
        let end = self.text.get(line.end..)?.find('\n')? + line.end + 1;
        (end < self.text.len()).then(|| self.line_at(end))
    }

    fn previous_line(&self, line: Span) -> Option<Span> {
        let mut line = line;
        while line.start > 0 {
            line = self.line_at(line.start - 1);
            if !self.of(line).trim().is_empty() {
                return Some(line);
            }
        }
        None
    }

    fn indentation(&self, line: Span) -> &'t str {
        let text = self.of(line);
        text.get(..text.len() - text.trim_start().len()).unwrap_or_default()
    }

    /// Where the code of a line ends: before its comment and trailing blanks.
    fn code_end(&self, line: Span) -> usize {
        let text = self.of(line);
        let mut quote = None;
        let mut end = text.len();
        for (at, c) in text.char_indices() {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '\'' || c == '"' => quote = Some(c),
                None if c == '#' => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        line.start + text.get(..end).unwrap_or_default().trim_end().len()
    }

    /// Where something missing may go in a line: at its end, and before the colon or comma there.
    fn ends(&self, line: Span) -> Vec<usize> {
        let end = self.code_end(line);
        let code = self.of(Span::new(line.start, end.max(line.start)));
        let mut ends = vec![end];
        if code.ends_with([':', ',', ')', ']', '}']) {
            ends.insert(0, end - 1);
        }
        if code.ends_with("):") || code.ends_with("],") || code.ends_with("),") {
            ends.push(end - 2);
        }
        ends
    }

    fn insert(label: &str, at: usize, text: &str) -> Edit {
        (format!("{label} `{}`", text.trim()), Span::empty(at), text.to_owned())
    }

    fn close_bracket(&self, open: usize, edits: &mut Vec<Edit>) {
        let Some(bracket) = self.text.get(open..).and_then(|rest| rest.chars().next()) else {
            return;
        };
        let close = match bracket {
            '(' => ")",
            '[' => "]",
            '{' => "}",
            _ => return,
        };
        let first = self.line_at(open);
        let level = self.indentation(first).len();
        let mut line = Some(first);
        for _ in 0..MAX_LINES {
            let Some(current) = line else { break };
            let starts_statement = current != first
                && COMPOUND.contains(&first_word(self.of(current)))
                && self.indentation(current).len() <= level;
            if starts_statement {
                break;
            }
            for at in self.ends(current).into_iter().filter(|at| *at > open) {
                edits.push(Self::insert("insert", at, close));
            }
            line = self.next_line(current);
        }
        edits.push((format!("drop `{bracket}`"), Span::new(open, open + 1), String::new()));
    }

    fn drop_or_turn_bracket(&self, at: usize, edits: &mut Vec<Edit>) {
        let Some(bracket) = self.text.get(at..).and_then(|rest| rest.chars().next()) else {
            return;
        };
        if !")]}".contains(bracket) {
            return;
        }
        let span = Span::new(at, at + 1);
        for other in [")", "]", "}"] {
            if !other.starts_with(bracket) {
                edits.push((format!("replace `{bracket}` by `{other}`"), span, other.to_owned()));
                edits.push(Self::insert("insert", at, other));
            }
        }
        edits.insert(0, (format!("drop `{bracket}`"), span, String::new()));
    }

    fn close_quote(&self, open: usize, edits: &mut Vec<Edit>) {
        let line = self.line_at(open);
        let rest = self.of(Span::new(open.clamp(line.start, line.end), line.end));
        let Some(quote) = rest.chars().find(|c| ['"', '\''].contains(c)) else { return };
        let quote = quote.to_string();
        let mut ends = self.ends(line);
        // A `#` may belong to the string.
        ends.push(line.end);
        // Not the last bracket but all of them may stand after the string.
        let code = rest.trim_end();
        let tail = code.len() - code.trim_end_matches([')', ']', '}', ',', ':']).len();
        ends.insert(0, open + code.len() - tail);
        ends.dedup();
        edits.extend(ends.into_iter().map(|at| Self::insert("insert", at, &quote)));
    }

    fn call_print(&self, line: Span, edits: &mut Vec<Edit>) {
        let end = self.code_end(line);
        for name in ["print", "exec"] {
            let start = self.of(line).find(&format!("{name} ")).map(|at| line.start + at);
            if let Some(start) = start {
                let span = Span::new(start, end.max(start));
                let argument = self.of(span).trim_start_matches(name).trim();
                edits.push((format!("call `{name}`"), span, format!("{name}({argument})")));
            }
        }
    }

    fn indent(&self, line: Span, edits: &mut Vec<Edit>) {
        let level = self.indentation(line);
        // The header's own level, when the block stands beside it.
        let header = self.previous_line(line).map_or("", |above| self.indentation(above));
        let deeper = format!("{}    ", if header.len() > level.len() { header } else { level });
        // What stands apart from the header, no deeper, is not its block: that is empty.
        if let Some(above) = self.empty_header(line) {
            let body = format!("\n{}    pass", self.indentation(above));
            edits.push(("fill the empty block by `pass`".to_owned(), Span::empty(above.end), body));
            return;
        }
        let place = Span::new(line.start, line.start + level.len());
        edits.push(("indent the line".to_owned(), place, deeper.clone()));
        // With all that follows at the same level.
        let mut lines = vec![line];
        while let Some(next) = lines.last().and_then(|last| self.next_line(*last)) {
            let same = self.indentation(next).len() >= level.len();
            if !same || self.of(next).trim().is_empty() {
                break;
            }
            lines.push(next);
            if lines.len() > 1 {
                let whole = Span::new(line.start, next.end);
                let text: Vec<String> =
                    lines.iter().map(|line| format!("    {}", self.of(*line))).collect();
                edits.push((format!("indent {} lines", lines.len()), whole, text.join("\n")));
            }
            if lines.len() > 2 * MAX_LINES {
                break;
            }
        }
    }

    /// The header that has no block when the error is told at `line`: that of the line itself at
    /// the end of the file, or the one above, with an empty line between and nothing deeper.
    fn empty_header(&self, line: Span) -> Option<Span> {
        let opens = |line: Span| {
            let end = self.code_end(line).max(line.start);
            self.of(Span::new(line.start, end)).ends_with(':')
        };
        if opens(line) && self.text.get(line.end..).is_some_and(|rest| rest.trim().is_empty()) {
            return Some(line);
        }
        let above = self.previous_line(line).filter(|above| opens(*above))?;
        let between = self.of(Span::new(above.end, line.start.max(above.end)));
        let apart = self.of(line).trim().is_empty() || between.matches('\n').count() > 1;
        let no_deeper = self.indentation(line).len() <= self.indentation(above).len();
        (apart && no_deeper).then_some(above)
    }

    /// Tries every level that is open above the line.
    fn realign(&self, line: Span, edits: &mut Vec<Edit>) {
        let own = self.indentation(line);
        let place = Span::new(line.start, line.start + own.len());
        let mut levels: Vec<&str> = Vec::new();
        let mut above = self.previous_line(line);
        while let Some(current) = above {
            let level = self.indentation(current);
            if levels.iter().all(|seen| level.len() < seen.len()) {
                levels.push(level);
            }
            above = self.previous_line(current).filter(|_| !level.is_empty());
        }
        levels.sort_by_key(|level| level.len().abs_diff(own.len()));
        for level in levels.into_iter().filter(|level| *level != own) {
            edits.push(("align the line".to_owned(), place, level.to_owned()));
        }
    }

    fn plain_characters(&self, line: Span, edits: &mut Vec<Edit>) {
        let plain = plain(self.of(line));
        edits.push(("use plain characters".to_owned(), line, plain));
    }

    fn strip_zeros(&self, line: Span, edits: &mut Vec<Edit>) {
        let text = self.of(line);
        let mut start = None;
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            match start {
                None if c.is_ascii_digit() => start = Some(at),
                Some(from) if !c.is_ascii_digit() => {
                    let digits = text.get(from..at).unwrap_or_default();
                    let bare = digits.trim_start_matches('0');
                    if bare.len() < digits.len() && !bare.is_empty() {
                        let span = Span::new(line.start + from, line.start + at);
                        // What it means in C and in Python 2.
                        if bare.chars().all(|digit| digit < '8') {
                            let octal = format!("0o{bare}");
                            edits.push(("write the octal number".to_owned(), span, octal));
                        }
                        edits.push(("drop leading zeros".to_owned(), span, bare.to_owned()));
                    }
                    start = None;
                }
                _ => {}
            }
        }
    }

    /// `=` where `==` may be meant.
    fn compare(&self, line: Span, edits: &mut Vec<Edit>) {
        let text = self.of(line);
        for (at, _) in text.match_indices('=') {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + 1..).and_then(|after| after.chars().next());
            let single =
                !before.is_some_and(|c| "=!<>+-*/%&|^:@".contains(c)) && after != Some('=');
            if single {
                let span = Span::new(line.start + at, line.start + at + 1);
                edits.push(("compare by `==`".to_owned(), span, "==".to_owned()));
            }
        }
    }

    /// A comma at each gap between the parts of `span`.
    fn insert_comma(&self, span: Span, edits: &mut Vec<Edit>) {
        let text = self.of(span);
        let mut previous = ' ';
        for (at, c) in text.char_indices() {
            if c.is_whitespace() && !previous.is_whitespace() && !",([{".contains(previous) {
                edits.push(Self::insert("insert", span.start + at, ","));
            }
            previous = c;
        }
    }

    /// What the bare "invalid syntax" may mean, in the line and the one before it.
    fn general(&self, line: Span, edits: &mut Vec<Edit>) {
        for line in [Some(line), self.previous_line(line)].into_iter().flatten() {
            let code_end = self.code_end(line);
            let code = self.of(Span::new(line.start, code_end.max(line.start)));
            if COMPOUND.contains(&first_word(code)) && !code.ends_with(':') {
                edits.push(Self::insert("insert", code_end, ":"));
            }
            for (foreign, python) in [
                ("&&", " and "),
                ("||", " or "),
                ("!", "not "),
                ("else if", "elif"),
                ("elseif", "elif"),
                ("elsif", "elif"),
                ("++", " += 1"),
                ("--", " -= 1"),
                ("<>", "!="),
                ("function ", "def "),
                ("func ", "def "),
                ("fn ", "def "),
                ("var ", ""),
                ("let ", ""),
                ("const ", ""),
                (" {", ":"),
                (";", ""),
            ] {
                for (at, _) in code.match_indices(foreign) {
                    let followed = code.get(at + foreign.len()..).unwrap_or_default();
                    if foreign == "!" && followed.starts_with('=') {
                        continue;
                    }
                    let span = Span::new(line.start + at, line.start + at + foreign.len());
                    let (span, python) = self.without_doubled_blanks(span, python);
                    edits.push((format!("replace `{}`", foreign.trim()), span, python));
                }
            }
            self.balance(line, edits);
        }
    }

    fn without_doubled_blanks(&self, span: Span, text: &str) -> (Span, String) {
        let before = self.text.get(..span.start).is_some_and(|before| before.ends_with(' '));
        let after = self.text.get(span.end..).is_some_and(|after| after.starts_with(' '));
        let text = if before { text.trim_start() } else { text };
        let keep_end = !after || text == "not ";
        (span, if keep_end { text.to_owned() } else { text.trim_end().to_owned() })
    }

    /// Brackets that the line opens and does not close.
    fn balance(&self, line: Span, edits: &mut Vec<Edit>) {
        let mut open = Vec::new();
        for c in self.of(line).chars() {
            match c {
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' if open.last() == Some(&c) => {
                    open.pop();
                }
                _ => {}
            }
        }
        if !open.is_empty() {
            let close: String = open.into_iter().rev().collect();
            edits.extend(self.ends(line).into_iter().map(|at| Self::insert("insert", at, &close)));
        }
    }
}

fn first_word(line: &str) -> &str {
    line.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
