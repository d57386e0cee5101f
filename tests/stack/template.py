"""The template as CloudFormation would see it: translated from SAM, its functions worked out.

    stack = resolved({"Overflow": "off"})
    stack["Resources"]["Bucket"]["Properties"]

Ids and attributes of resources stand in angle brackets: ``<Bucket>``, ``<Bucket.Arn>``. A function
that is not known here is an error, never passed over.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.stack.environment import ACCOUNT, REGION
from tests.stack.package import TEMPLATE

Json = Any

STACK_NAME = "smugmug-backup"
PSEUDO = {
    "AWS::StackName": STACK_NAME,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
}
_NO_VALUE = object()
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


def source(text: str | None = None) -> dict[str, Json]:
    """The template as it is written, or ``text``, with its tags as functions."""
    parsed: dict[str, Json] = yaml_parse(TEMPLATE.read_text() if text is None else text)
    return parsed


@cache
def translated(text: str | None = None) -> dict[str, Json]:
    """What SAM makes of the template, with functions and conditions; not to be changed."""
    template = source(text)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/package.zip"
    parameters = {**defaults(template), "AWS::Region": REGION}
    result: dict[str, Json] = transform(template, parameters, ManagedPolicyLoader(None))
    return result


def defaults(template: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters' defaults."""
    return {name: str(about["Default"]) for name, about in template["Parameters"].items()}


def resolved(
    parameters: Mapping[str, str] | None = None, text: str | None = None
) -> dict[str, Json]:
    """The translated template for given parameters, without what their conditions leave out."""
    template = translated(text)
    values = {**defaults(template), **(parameters or {})}
    unknown = set(values) - set(template["Parameters"])
    assert not unknown, f"no such parameters: {unknown}"
    resolver = _Resolver(template, values)
    return {
        part: {
            name: resolver.value({k: v for k, v in each.items() if k != "Condition"})
            for name, each in template[part].items()
            if resolver.condition(each.get("Condition"))
        }
        for part in ("Resources", "Outputs")
    }


class _Resolver:
    def __init__(self, template: Mapping[str, Json], values: Mapping[str, str]) -> None:
        self._template = template
        self._values = values

    def condition(self, name: str | None) -> bool:
        return name is None or bool(self.value(self._template["Conditions"][name]))

    def value(self, node: Json) -> Json:
        if isinstance(node, list):
            items = [self.value(each) for each in node]
            return [each for each in items if each is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name in ("Ref", "Condition") and isinstance(argument, str):
                return self.ref(argument) if name == "Ref" else self.condition(argument)
            if name.startswith("Fn::"):
                return self.function(name, argument)
        values = {key: self.value(each) for key, each in node.items()}
        return {key: each for key, each in values.items() if each is not _NO_VALUE}

    def ref(self, name: str) -> Json:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self._values:
            return self._values[name]
        self._must_exist(name)
        return f"<{name}>"

    def function(self, name: str, argument: Json) -> Json:
        match name:
            case "Fn::If":
                return self.value(argument[1] if self.condition(argument[0]) else argument[2])
            case "Fn::Equals":
                return str(self.value(argument[0])) == str(self.value(argument[1]))
            case "Fn::Not":
                return not self.value(argument[0])
            case "Fn::Or":
                return any(self.value(each) for each in argument)
            case "Fn::GetAtt":
                self._must_exist(argument[0])
                return f"<{argument[0]}.{argument[1]}>"
            case "Fn::Sub":
                text, given = (argument, {}) if isinstance(argument, str) else argument
                local = {key: self.value(each) for key, each in given.items()}
                return _VARIABLE.sub(lambda match: str(self.variable(match[1], local)), text)
        raise AssertionError(f"{name} is not known here")

    def variable(self, name: str, local: Mapping[str, Json]) -> Json:
        if name in local:
            return local[name]
        return self.function("Fn::GetAtt", name.split(".")) if "." in name else self.ref(name)

    def _must_exist(self, name: str) -> None:
        resource = self._template["Resources"].get(name)
        assert resource is not None, f"there is no {name}"
        assert self.condition(resource.get("Condition")), f"{name} is not there now"


def references(template: Mapping[str, Json]) -> dict[str, set[str]]:
    """Which resources each resource of a translated template names, by any function."""
    resources = template["Resources"]
    return {
        name: {each for each in _named(resource) if each in resources}
        for name, resource in resources.items()
    }


def _named(node: Json) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _named(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            match key:
                case "Ref":
                    yield value
                case "Fn::GetAtt":
                    yield value[0] if isinstance(value, list) else value.split(".")[0]
                case "DependsOn":
                    yield from [value] if isinstance(value, str) else value
                case "Fn::Sub":
                    text = value if isinstance(value, str) else value[0]
                    yield from (match.split(".")[0] for match in _VARIABLE.findall(text))
                    yield from _named(value)
                case _:
                    yield from _named(value)


def cycle(template: Mapping[str, Json]) -> list[str] | None:
    """Resources that wait for each other for ever, if there are any."""
    try:
        TopologicalSorter(references(template)).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return None


def of_type(stack: Mapping[str, Json], kind: str) -> dict[str, Json]:
    """Logical id to properties of all resources of one type."""
    return {
        name: copy.deepcopy(each.get("Properties", {}))
        for name, each in stack["Resources"].items()
        if each["Type"] == kind
    }


def statements(role: Mapping[str, Json]) -> list[dict[str, Json]]:
    """All statements of a role's inline policies."""
    return [
        statement
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
