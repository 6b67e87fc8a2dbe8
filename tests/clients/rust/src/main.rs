//! The official SDK for Rust as an MCP client: `bproxy-mcp-client PROGRAM ARGUMENT…`.
//!
//! It is driven over lines of JSON, as `tests/fixtures/mcp/client.js` says.

use std::error::Error;

use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use serde::Deserialize;
use serde_json::{Value, from_value, json, to_value};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::process::Command;

type Answer = Result<Value, Box<dyn Error>>;

/// What is to be asked of the server.
#[derive(Deserialize)]
struct Asked {
    id: u64,
    method: String,
    params: Value,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1);
    let mut server = Command::new(words.next().ok_or("no server is named")?);
    server.args(words);
    let client = rmcp::serve_client((), TokioChildProcess::new(server)?).await?;
    let info = client.peer_info().ok_or("the server says nothing of itself")?;
    let mut about = to_value(&info.server_info)?;
    about["instructions"] = json!(info.instructions);
    println!("{}", json!({ "server": about }));

    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let Asked { id, method, params } = serde_json::from_str(&line)?;
        println!(
            "{}",
            match ask(&client, &method, params).await {
                Ok(result) => json!({ "id": id, "result": result }),
                Err(error) => json!({ "id": id, "error": error.to_string() }),
            }
        );
    }
    client.cancel().await?;
    Ok(())
}

/// By the client's own methods, which read the answer by the protocol's types.
async fn ask(client: &RunningService<RoleClient, ()>, method: &str, params: Value) -> Answer {
    Ok(match method {
        "tools/list" => to_value(client.list_tools(None).await?)?,
        "tools/call" => to_value(client.call_tool(from_value(params)?).await?)?,
        "resources/list" => to_value(client.list_resources(None).await?)?,
        "resources/read" => to_value(client.read_resource(from_value(params)?).await?)?,
        "prompts/list" => to_value(client.list_prompts(None).await?)?,
        "prompts/get" => to_value(client.get_prompt(from_value(params)?).await?)?,
        other => return Err(format!("there is no method {other:?} here").into()),
    })
}
