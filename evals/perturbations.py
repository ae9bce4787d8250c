"""The perturbations, one small class each. What they are done to, and how, is `perturb`'s."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scout.serving.messages import Message, Role, Tool, ToolCall


class Perturbation:
    """Changes nothing. Each kind overrides what it changes; `draw` is the item's own."""

    name = "none"
    title = "as it is"
    needs_tools = False

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        """What is said at the beginning; the tools as they are without this."""
        return said

    def tools(self, tools: tuple[Tool, ...], draw: random.Random) -> tuple[Tool, ...]:
        """The tools that the model is shown."""
        return tools

    def heard(self, call: ToolCall, tools: tuple[Tool, ...], draw: random.Random) -> ToolCall:
        """A call in the world's own words."""
        return call

    def told(self, text: str, draw: random.Random) -> str:
        """What the model is told of a call."""
        return text

    def spoken(self, text: str) -> tuple[ToolCall, ...]:
        """Calls that stand in the text itself."""
        return ()


class ToolNames(Perturbation):
    name, title, needs_tools = "tool-names", "other names of tools", True
    _styles = ("desk_{0}", "{0}_v2", "api-{0}", "do_{0}", "{0}Tool")

    def _names(self, tools: Sequence[Tool], draw: random.Random) -> dict[str, str]:
        style = draw.choice(self._styles)
        return {tool.name: style.format(tool.name) for tool in tools}

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        names = self._names(tools, draw)
        pattern = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b")

        def renamed(found: re.Match[str]) -> str:
            return names[found.group()] if "_" in found.group() else found.group()  # `delete` is a word of the task too

        return tuple(replace(each, content=pattern.sub(renamed, each.content)) for each in said)

    def tools(self, tools: tuple[Tool, ...], draw: random.Random) -> tuple[Tool, ...]:
        names = self._names(tools, draw)
        return tuple(replace(tool, name=names[tool.name]) for tool in tools)

    def heard(self, call: ToolCall, tools: tuple[Tool, ...], draw: random.Random) -> ToolCall:
        names = {new: old for old, new in self._names(tools, draw).items()}
        return replace(call, name=names.get(call.name, f"unknown {call.name}"))


class ToolSchemas(Perturbation):
    """Arguments get other names and lie in an object of their own."""

    name, title, needs_tools = "tool-schemas", "other names and nesting of arguments", True

    def tools(self, tools: tuple[Tool, ...], draw: random.Random) -> tuple[Tool, ...]:
        suffix, nested = self.style(draw)
        return tuple(replace(tool, parameters=self._schema(tool.parameters, suffix, nested)) for tool in tools)

    def heard(self, call: ToolCall, tools: tuple[Tool, ...], draw: random.Random) -> ToolCall:
        suffix, nested = self.style(draw)
        try:
            given = json.loads(call.arguments or "{}")
            inner = given.get("input", {}) if nested else given
            if not isinstance(inner, dict) or not all(key.endswith(suffix) for key in inner):
                return replace(call, arguments=json.dumps({"unknown arguments": True}))
            plain = {key.removesuffix(suffix): value for key, value in inner.items()}
        except (ValueError, AttributeError, RecursionError):
            return call
        return replace(call, arguments=json.dumps(plain))

    @staticmethod
    def style(draw: random.Random) -> tuple[str, bool]:
        return draw.choice(("_value", "Arg", "_in")), draw.random() < 0.5

    @staticmethod
    def _schema(schema: Mapping[str, Any], suffix: str, nested: bool) -> dict[str, Any]:
        renamed = {
            **schema, "properties": {key + suffix: value for key, value in schema["properties"].items()},
            "required": [key + suffix for key in schema["required"]],
        }  # fmt: skip
        if not nested:
            return renamed
        wanted = ["input"] if renamed["required"] else []
        return {"type": "object", "properties": {"input": renamed}, "required": wanted, "additionalProperties": False}


class ToolOrder(Perturbation):
    name, title, needs_tools = "tool-order", "tools and their arguments in another order", True

    def tools(self, tools: tuple[Tool, ...], draw: random.Random) -> tuple[Tool, ...]:
        def shuffled(tool: Tool) -> Tool:
            properties = list(tool.parameters["properties"].items())
            draw.shuffle(properties)
            return replace(tool, parameters={**tool.parameters, "properties": dict(properties)})

        return tuple(shuffled(tool) for tool in draw.sample(tools, len(tools)))


class ToolWording(Perturbation):
    name, title, needs_tools = "tool-wording", "other words in the descriptions of tools", True
    _ways = (
        "Use this when you want the following. {0}", "{0} Takes the arguments below.", "Function: {0}",
        "[tool] {0} Call it as often as needed.",
    )  # fmt: skip

    def tools(self, tools: tuple[Tool, ...], draw: random.Random) -> tuple[Tool, ...]:
        return tuple(replace(tool, description=draw.choice(self._ways).format(tool.description)) for tool in tools)


class ToolResults(Perturbation):
    name, title, needs_tools = "tool-results", "results and errors in another format", True

    def told(self, text: str, draw: random.Random) -> str:
        fault = text.startswith("error: ")
        body = text.removeprefix("error: ")
        how = draw.randrange(3)
        if how == 0:
            return json.dumps({"ok": not fault, ("message" if fault else "result"): body}, ensure_ascii=False)
        if how == 1:
            return f"<{'failure' if fault else 'output'}>\n{body}\n</{'failure' if fault else 'output'}>"
        return f"status: {400 if fault else 200}\n---\n{body}"


class SystemPrompt(Perturbation):
    name, title = "system-prompt", "another system prompt"
    _said = (
        "You are a careful assistant. Follow the user's instructions to the letter.",
        "You work for a small company. Be correct and brief.",
        "Today is a normal working day. Answer in the language of the question.",
        "You are an expert with tools and text. Think before you answer, then answer as asked.",
    )

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        return (Message(Role.SYSTEM, draw.choice(self._said)), *said)


class Phrasing(Perturbation):
    name, title = "phrasing", "the same request in other words around it"
    _around = (
        ("Hello! Could you help me with the following?\n\n", ""), ("", "\n\nMany thanks in advance!"),
        ("This is the next task on my list. Please do exactly what it says.\n\n---\n", "\n---"),
        ("hi, quick one:\n\n", "\n\nthx"), ("I was asked to hand this on to you:\n\n", "\n\nKind regards"),
    )  # fmt: skip

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        before, after = draw.choice(self._around)
        return tuple(
            replace(each, content=f"{before}{each.content}{after}") if each.role is Role.USER else each for each in said
        )  # fmt: skip


class Rendered(Perturbation):
    """The opening as text of another chat template, within one message."""

    name, title = "template", "the conversation as text of another chat template"
    _templates = ("### {role}:\n{text}\n\n", "<|{role}|>\n{text}\n", "[{role}] {text}\n", "{role}: {text}\n\n")

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        template = draw.choice(self._templates)
        text = "".join(template.format(role=each.role.value, text=each.content) for each in said)
        return (Message(Role.USER, text + template.format(role="assistant", text="").rstrip()),)


class Emulated(Perturbation):
    """Calls as text, for a model that is shown no tools."""

    name, title, needs_tools = "emulated-calls", "tool calls as text instead of native ones", True
    _how = """You have these tools:
{tools}
To call one, write a line such as
<tool_call>{{"name": "{first}", "arguments": {{}}}}</tool_call>
and nothing after it; the result comes in the next message. When all is done, reply without a call."""
    _call = re.compile(r"<tool_call>(.{0,20000}?)(?:</tool_call>|$)", re.DOTALL)

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        rows = "\n".join(
            json.dumps({"name": tool.name, "description": tool.description, "parameters": tool.parameters}) for tool in tools
        )  # fmt: skip
        return (Message(Role.SYSTEM, self._how.format(tools=rows, first=tools[0].name)), *said)

    def tools(self, tools: tuple[Tool, ...], draw: random.Random) -> tuple[Tool, ...]:
        return ()

    def spoken(self, text: str) -> tuple[ToolCall, ...]:
        calls = []
        for number, body in enumerate(self._call.findall(text)):
            try:
                found = json.loads(body)
                name, arguments = str(found["name"]), json.dumps(found.get("arguments", {}))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                name, arguments = "unreadable call", "{}"
            calls.append(ToolCall(f"text-{number}", name, arguments))
        return tuple(calls)


class Scaffold(Perturbation):
    """Another agent around the model: it is told to plan, and reminded after each call."""

    name, title, needs_tools = "scaffold", "an agent that plans first and is reminded after each call", True

    def messages(self, said: tuple[Message, ...], tools: tuple[Tool, ...], draw: random.Random) -> tuple[Message, ...]:
        plan = "First write a short plan. Then act, one call at a time. Check at the end that every part of the task is done."
        return (Message(Role.SYSTEM, plan), *said)

    def told(self, text: str, draw: random.Random) -> str:
        return f"Observation:\n{text}\n\nGo on with your plan. If all is done, give your final reply without a call."


_ALL = (
    ToolNames,
    ToolSchemas,
    ToolOrder,
    ToolWording,
    ToolResults,
    SystemPrompt,
    Phrasing,
    Rendered,
    Emulated,
    Scaffold,
)
PERTURBATIONS: Mapping[str, Perturbation] = {each.name: each() for each in _ALL}
