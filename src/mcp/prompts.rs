//! Prompts: two tasks to begin with, which a person chooses in the client.

use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};

/// A task with places for what it is about.
struct Task {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    /// Its places: what each is called, and what belongs there. All of them have to be filled.
    places: &'static [(&'static str, &'static str)],
    /// The text, with the places in braces.
    text: &'static str,
}

const TASKS: [Task; 2] = [
    Task {
        name: "look_up",
        title: "Look something up",
        about: "Find an answer on a site, signed in as you are, with the page that says so.",
        places: &[("site", "The address to begin at"), ("question", "What you want to know")],
        text: "Use bproxy to answer this from {site}, in my own browser: {question}\n\nOpen the page, use its search or its links, \
               and read only what you need. Change nothing there. If it asks me to sign in or to prove that I am human, hand over \
               to me. Answer in a few sentences, and give the address of the page that says so.",
    },
    Task {
        name: "fill_in",
        title: "Fill in a form",
        about: "Fill in a form for you to check before it is sent.",
        places: &[
            ("page", "The address of the form"),
            ("facts", "What to fill in, in your own words"),
        ],
        text: "Use bproxy to fill in the form at {page}, in my own browser, with this: {facts}\n\nRead its fields first, and ask me \
               for what is required and not said. Fill them in, look at what they hold, and show me a list of it. Do not send the \
               form before I have agreed.",
    },
];

/// All of them.
pub(super) fn list() -> Vec<Prompt> {
    let prompt = |task: &Task| {
        let argument = |(name, about): &(&str, &str)| {
            PromptArgument::new(*name).with_description(*about).with_required(true)
        };
        let arguments = task.places.iter().map(argument).collect();
        Prompt::new(task.name, Some(task.about), Some(arguments)).with_title(task.title)
    };
    TASKS.iter().map(prompt).collect()
}

/// The text of a prompt. The error says what is missing.
pub(super) fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResult, String> {
    let task = TASKS.iter().find(|task| task.name == name);
    let task = task.ok_or_else(|| format!("there is no prompt {name}"))?;
    let mut text = String::new();
    // What is filled in holds no places, whatever it says.
    let mut rest = task.text;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').expect("each place is closed");
        let value = arguments.get(place).and_then(|value| value.as_str()).map(str::trim);
        let value = value.filter(|value| !value.is_empty());
        text += before;
        text += value.ok_or_else(|| format!("`params.arguments.{place}` is missing"))?;
        rest = after;
    }
    text += rest;
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(task.about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_an_argument_and_every_argument_a_place() {
        for task in &TASKS {
            let arguments = task.places.iter().map(|(name, _)| ((*name).to_owned(), "{x}".into()));
            let mut arguments: JsonObject = arguments.collect();
            let told = serde_json::to_value(get(task.name, &arguments).unwrap()).unwrap();
            let text = told["messages"][0]["content"]["text"].as_str().unwrap();
            assert_eq!(text.matches("{x}").count(), task.places.len());
            arguments.remove(task.places[0].0);
            assert!(get(task.name, &arguments).unwrap_err().contains(task.places[0].0));
        }
        assert!(get("fly", &JsonObject::new()).is_err());
    }
}
