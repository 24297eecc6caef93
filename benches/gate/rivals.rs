//! Filters of other products that look at the text alone, as far as their sources tell.

/// A cursor as those filters see it.
pub(crate) struct Lines<'a> {
    /// The cursor's line before the cursor.
    pub(crate) before: &'a str,
    /// The same behind it.
    pub(crate) after: &'a str,
    /// The lines below.
    pub(crate) below: Vec<&'a str>,
    /// The nearest line above that is not blank.
    pub(crate) above: &'a str,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str, offset: usize) -> Self {
        let (head, tail) = text.split_at(offset);
        let mut above = head.rsplit('\n');
        let before = above.next().unwrap_or_default();
        let above = above.find(|line| !line.trim().is_empty()).unwrap_or_default();
        let mut below = tail.split('\n');
        let after = below.next().unwrap_or_default();
        Self { before, after, below: below.collect(), above }
    }
}

fn blank(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// llama.vim, 2026-01-31: what llama.cpp's server stops at (a line indented less than the
/// cursor's), then whole suggestions that repeat what follows are discarded.
pub(crate) fn llama_vim(raw: &str, place: &Lines<'_>) -> String {
    let indent = blank(place.before).len();
    let mut lines: Vec<&str> = Vec::new();
    for (index, line) in raw.split('\n').enumerate() {
        if index > 0 && !line.trim().is_empty() && blank(line).len() < indent {
            break;
        }
        lines.push(line);
    }
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let Some(mut first) = lines.first().copied() else { return String::new() };
    let mut before = place.before;
    if place.before.trim().is_empty() && place.after.trim().is_empty() {
        let lead = blank(first).len().min(place.before.len() + place.after.len());
        before = &first[..lead];
        first = &first[lead..];
        lines[0] = first;
    }
    let rest = &lines[1..];
    let below = &place.below;
    if first.is_empty() && !rest.is_empty() && below.starts_with(rest) {
        return String::new();
    }
    if rest.is_empty() && first == place.after {
        return String::new();
    }
    let next = below.iter().position(|line| !line.trim().is_empty());
    if let Some(next) = next
        && format!("{before}{first}") == below[next]
    {
        let then = &below[next + 1..];
        let repeats = match rest {
            [] => true,
            [line] => then.first().is_some_and(|other| other.starts_with(line)),
            lines => then.starts_with(lines),
        };
        if repeats {
            return String::new();
        }
    }
    let text = lines.join("\n");
    if text.trim().is_empty() { String::new() } else { text }
}

/// Tabby's client, 2026-06-30: one line where code follows, repetitions, repeated lines below,
/// the scope by indentation, a closing line that stands there already.
pub(crate) fn tabby(raw: &str, place: &Lines<'_>) -> String {
    let inline = !place.after.trim_matches(|c: char| " \t)]};:,\"'`".contains(c)).is_empty();
    let mut lines: Vec<&str> = raw.split('\n').collect();
    if inline {
        lines.truncate(1);
    }
    let ends_repeating = |line: &str| {
        let repeats = |piece: usize, times: usize| {
            let chars: Vec<char> = line.chars().collect();
            (piece..=chars.len() / times.max(1)).any(|length| {
                let tail = &chars[chars.len() - length * times..];
                tail.chunks(length).all(|chunk| chunk == &tail[..length])
            })
        };
        repeats(3, 6) || repeats(10, 4)
    };
    if lines.iter().any(|line| ends_repeating(line)) {
        return String::new();
    }
    // The suggestion as a whole says again what follows.
    let first: Vec<&str> =
        lines.iter().copied().filter(|line| !line.trim().is_empty()).take(3).collect();
    let follows: Vec<&str> = std::iter::once(place.after)
        .chain(place.below.iter().copied())
        .filter(|line| !line.trim().is_empty())
        .take(first.len())
        .collect();
    let (said, follows) = (first.join("\n"), follows.join("\n"));
    let allowed = (said.trim().len() / 20).max(1);
    if distance(said.trim(), follows.trim()) <= allowed {
        return String::new();
    }
    // Up to the first line that leaves the scope the cursor is in.
    let whole = format!("{}{}", place.before, lines.first().copied().unwrap_or_default());
    let indent = blank(&whole).len();
    let above = blank(place.above).len();
    let scope = if place.before.trim().is_empty() { indent.min(above.max(indent)) } else { indent };
    let mut end = lines.len();
    for (index, line) in lines.iter().enumerate().skip(1) {
        if line.trim().is_empty() {
            continue;
        }
        let deep = blank(line).len();
        let closes = deep == scope && line.trim_start().starts_with(['}', ')', ']']);
        if deep < scope || (deep == scope && inline) {
            end = index;
            break;
        }
        if closes && index + 1 < end {
            end = index + 1;
            break;
        }
    }
    lines.truncate(end);
    // A closing line that is the next one already.
    if lines.len() > 1
        && let Some(last) = lines.last().copied()
        && !last.trim().is_empty()
        && last.trim().chars().all(|c| "()[]{};,".contains(c))
        && place.below.iter().find(|line| !line.trim().is_empty()).is_some_and(|next| *next == last)
    {
        lines.pop();
    }
    // Lines at the end that are the ones below.
    let below: Vec<&str> =
        place.below.iter().copied().filter(|line| !line.trim().is_empty()).take(3).collect();
    if let Some(at) = (1..lines.len()).find(|at| {
        let tail = &lines[*at..];
        !tail.is_empty() && below.starts_with(tail)
    }) {
        lines.truncate(at);
    }
    let text = lines.join("\n").trim_end().to_owned();
    if text.trim().len() < 2 { String::new() } else { text }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, x) in a.chars().enumerate() {
        let (mut left, mut diagonal) = (index + 1, index);
        let mut next = vec![left];
        for (y, above) in b.iter().zip(&row[1..]) {
            let best = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            (diagonal, left) = (*above, best);
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
