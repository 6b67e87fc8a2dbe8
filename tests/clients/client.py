"""The official SDK for Python, or fastmcp, as an MCP client: `client.py mcp|fastmcp PROGRAM ARGUMENT…`.

It is driven over lines of JSON, as tests/fixtures/mcp/client.js says.
"""

import asyncio
import json
import os
import sys


def official(command, arguments):
    """The official SDK, by the methods that its users call."""
    from mcp import Client, StdioServerParameters

    client = Client(StdioServerParameters(command=command, args=arguments, env=dict(os.environ)))
    return client, {
        "tools/list": lambda: client.list_tools(),
        "tools/call": lambda name, arguments: client.call_tool(name, arguments),
        "resources/list": lambda: client.list_resources(),
        "resources/read": lambda uri: client.read_resource(uri),
        "prompts/list": lambda: client.list_prompts(),
        "prompts/get": lambda name, arguments: client.get_prompt(name, arguments),
    }


def fast(command, arguments):
    """fastmcp; by the methods that give an answer as it came."""
    from fastmcp import Client
    from fastmcp.client.transports import StdioTransport

    client = Client(StdioTransport(command, arguments, env=dict(os.environ), keep_alive=False))
    return client, {
        "tools/list": lambda: client.list_tools_mcp(),
        "tools/call": lambda name, arguments: client.call_tool_mcp(name, arguments),
        "resources/list": lambda: client.list_resources_mcp(),
        "resources/read": lambda uri: client.read_resource_mcp(uri),
        "prompts/list": lambda: client.list_prompts_mcp(),
        "prompts/get": lambda name, arguments: client.get_prompt_mcp(name, arguments),
    }


def say(message):
    print(json.dumps(message), flush=True)


def plain(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


async def main(sdk, command, *arguments):
    connection, methods = {"mcp": official, "fastmcp": fast}[sdk](command, list(arguments))
    async with connection as client:
        say({"server": {**plain(client.server_info), "instructions": client.instructions}})
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            try:
                result = await methods[asked["method"]](**asked["params"])
                say({"id": asked["id"], "result": plain(result)})
            except Exception as error:
                say({"id": asked["id"], "error": str(error)})


asyncio.run(main(*sys.argv[1:]))
