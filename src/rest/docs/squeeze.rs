//! The page's own script and style without the spaces and remarks that only readers of the source need.
//!
//! A remark has lines of its own, a regular expression does not follow a word, no sum has a second sign, and a loop has a body.

/// Beside these characters a space separates nothing.
const SEPARATORS: &str = "{}()[];,:?=<>&|!*+";
/// After these a line goes on, and before those of [`GOING_ON`] it went on.
const OPEN: &str = "{([,;=>&|?:\n";
const GOING_ON: &str = "}).]?:&|";
const BEFORE_EXPRESSION: &str = "(,=:[!&|?{};>\n";

pub(super) fn style(source: &str) -> String {
    let mut style = lines(source).concat();
    for mark in ["{", "}", ";", ":", ",", ">"] {
        for spaced in [format!("{mark} "), format!(" {mark}")] {
            style = style.replace(&spaced, mark);
        }
    }
    style.replace(";}", "}")
}

pub(super) fn script(source: &str) -> String {
    let text = lines(source).join("\n");
    let mut script = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let last = script.chars().next_back().unwrap_or('\n');
        let (token, after) = rest.split_at(length(rest, first, last));
        let next = after.chars().next().unwrap_or('\n');
        let is_idle = match token {
            " " => SEPARATORS.contains(last) || SEPARATORS.contains(next),
            "\n" => OPEN.contains(last) || GOING_ON.contains(next),
            _ => false,
        };
        if token == "}" && last == ';' {
            script.pop();
        }
        if !is_idle {
            script.push_str(token);
        }
        rest = after;
    }
    script
}

/// The lines that are not remarks, without their indentation.
fn lines(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .collect()
}

/// How much is taken as it is: a text, a template, a regular expression, or one character.
fn length(rest: &str, first: char, last: char) -> usize {
    match first {
        '"' | '\'' => quoted(rest, first),
        '`' => template(rest),
        '/' if BEFORE_EXPRESSION.contains(last) => expression(rest),
        other => other.len_utf8(),
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = true;
    for (at, it) in text.char_indices() {
        match it {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if it == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn expression(text: &str) -> usize {
    let mut is_escaped = true;
    let mut is_in_class = false;
    for (at, it) in text.char_indices() {
        match it {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            '/' if !is_in_class => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A template to its end; those inside its expressions belong to it.
fn template(text: &str) -> usize {
    let mut at = 1;
    let mut depth = 0;
    while let Some(it) = text[at..].chars().next() {
        let inside = &text[at..];
        match it {
            '\\' => at += 1,
            '`' if depth == 0 => return at + 1,
            '`' => {
                at += template(inside);
                continue;
            }
            '"' | '\'' if depth > 0 => {
                at += quoted(inside, it);
                continue;
            }
            '$' if inside.starts_with("${") => {
                depth += 1;
                at += 1;
            }
            '{' if depth > 0 => depth += 1,
            '}' if depth > 0 => depth -= 1,
            _ => {}
        }
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{script, style};

    #[test]
    fn a_script_keeps_its_texts_templates_and_expressions() {
        let cases = [
            (
                "  const a = 1;\n// remark\nconst b = 2;",
                "const a=1;const b=2;",
            ),
            ("f( \"a , \\\" b\" , 'c : d' )", "f(\"a , \\\" b\",'c : d')"),
            (
                "x = `a ${ b ? `c { d` : \"}\" } e , f`;",
                "x=`a ${ b ? `c { d` : \"}\" } e , f`;",
            ),
            (
                "t.replace(/[/ ]+ \"/g, b / c)",
                "t.replace(/[/ ]+ \"/g,b / c)",
            ),
            ("if (a) {\n  b();\n}\nc();", "if(a){b()}\nc();"),
            ("a\n  .b()\n  ? c : d", "a.b()?c:d"),
            ("return typeof a === \"b\"", "return typeof a===\"b\""),
        ];
        for (source, expected) in cases {
            assert_eq!(script(source), expected, "{source}");
        }
    }

    #[test]
    fn a_style_keeps_the_spaces_between_words() {
        let source = "a > b, c:hover {\n  margin: 0 auto;\n  color: light-dark(#fff, #000);\n}\n";
        let expected = "a>b,c:hover{margin:0 auto;color:light-dark(#fff,#000)}";
        assert_eq!(style(source), expected);
    }
}
