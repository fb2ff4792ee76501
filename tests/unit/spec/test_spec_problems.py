"""One bad spec for each rule: where the problem is shown, what it says, and how to mend it."""

# ruff: noqa: E501  messages are compared whole, as users see them

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass(frozen=True)
class Case:
    """`text` follows a head that names stack and service; `expected` are lines `line:column message | fix`."""

    name: str
    text: str | bytes
    expected: list[str]
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    head: str = "stack: s\nservice: assistants\n"
    options: Mapping[str, Any] = field(default_factory=dict)


PATHS = {"data.txt": "x", "data/x.txt": "x", "empty.txt": "", ".env.local": "x"}
GLOBS = {"kb/a.md": "x", "empty.txt": ""}

CASES = [
    # YAML
    Case(
        "yaml: tab indentation",
        "assistants:\n\ta:\n",
        ["4:1 the line is indented with a tab | indent with spaces; YAML takes no tabs"],
    ),
    Case(
        "yaml: tab in running text",
        "origin: a\n\tb\n",
        ["4:1 the line is indented with a tab | indent with spaces; YAML takes no tabs"],
    ),
    Case("yaml: not UTF-8", b"origin: \xff\n", ["3:9 the file is not UTF-8: byte 0xff | save it as UTF-8"]),
    Case(
        "yaml: control character",
        "origin: 'a\x07'\n",
        ["3:11 character U+0007 is not allowed in YAML | remove it, or write it as an escape in double quotes"],
    ),
    Case("yaml: open quote", "origin: 'a\n", ["4:1 not valid YAML: a quote is opened and never closed"]),
    Case(
        "yaml: two colons",
        "origin: a: b\n",
        ["3:10 not valid YAML: a second ': ' in this line; put quotes around the value"],
    ),
    Case(
        "yaml: unquoted variable in braces",
        """\
deployments:
  m: {sku: {capacity: ${c}}}
""",
        [
            "4:24 not valid YAML: a ',' or '}' is missing | inside { } and [ ] a variable needs quotes: {capacity: \"${capacity}\"}"
        ],
    ),
    Case(
        "yaml: duplicate key",
        """\
origin: a
origin: b
""",
        ["4:1 key 'origin' stands here and at asstops.yaml:3:1 | remove one of them"],
    ),
    Case(
        "yaml: duplicate entry",
        """\
assistants:
  a: {model: m}
  a: {model: n}
""",
        ["5:3 key 'a' stands here and at asstops.yaml:4:3 | remove one of them"],
    ),
    Case(
        "yaml: key that is a number",
        """\
assistants:
  1: {model: m}
""",
        ["4:3 key '1' is not text | put quotes around it: \"1\""],
    ),
    Case(
        "yaml: key that is a list",
        """\
assistants:
  [a]: {model: m}
""",
        ["4:3 a key must be text, not a map or a list"],
    ),
    Case(
        "yaml: tag of a program",
        "origin: !!python/name:os.system x\n",
        ["3:9 tag '!!python/name:os.system' is not supported here | remove the tag"],
    ),
    Case("yaml: own tag", "origin: !mine x\n", ["3:9 tag '!mine' is not supported here | remove the tag"]),
    Case("yaml: alias without anchor", "origin: *x\n", ["3:9 alias *x has no anchor before it | define it with &x"]),
    Case(
        "yaml: alias of itself",
        """\
assistants: &a
  b: *a
""",
        ["4:6 alias *a refers to what it stands in | write the value out"],
    ),
    Case(
        "yaml: merge of a word",
        """\
assistants:
  a: {<<: x, model: m}
""",
        ["4:11 << takes a map, or a list of maps | name an anchor: <<: *name"],
    ),
    Case(
        "yaml: too deep",
        "origin: " + "[" * 100 + "\n",
        ["3:108 maps and lists stand more than 100 deep | flatten the file"],
    ),
    Case(
        "yaml: document that is a list",
        "- a\n",
        ["1:1 the document is a list, a map is wanted | write stack: NAME"],
        head="",
    ),
    Case("yaml: empty file", "", ["asstops.yaml the file is empty | a spec needs at least stack:"], head=""),
    Case(
        "yaml: only a comment",
        "# nothing\n",
        ["asstops.yaml the file is empty | a spec needs at least stack:"],
        head="",
    ),
    Case(
        "yaml: empty document",
        "---\n",
        ["asstops.yaml document 2 is empty | remove the --- line, or write something below it"],
    ),
    # Top level
    Case(
        "top level: no stack",
        "",
        ["asstops.yaml stack is missing | add stack: NAME, the name of everything this spec owns"],
        head="service: assistants\n",
    ),
    Case(
        "top level: bad stack",
        "",
        ["1:8 stack 'Contoso_Sales' is not a valid name | use at most 48 lower-case letters, digits and inner hyphens"],
        head="stack: Contoso_Sales\nservice: assistants\n",
    ),
    Case(
        "top level: stack that is a list",
        "",
        ["1:1 stack is a list, text is wanted | write stack: NAME"],
        head="stack: [a]\nservice: assistants\n",
    ),
    Case(
        "top level: unknown key",
        "frobnicate: 1\n",
        [
            "3:1 unknown key 'frobnicate' | known: assistants, deployments, files, lock, moved, origin, resource, service, stack, tests, tools, vars, vector_stores"
        ],
    ),
    Case(
        "top level: misspelt key",
        """\
assistant:
  a: {model: m}
""",
        [
            "3:1 unknown key 'assistant' | did you mean assistants? Known: stack, service, origin, lock, vars, assistants, deployments, files, resource, vector_stores, tools, tests, moved"
        ],
    ),
    Case(
        "top level: unknown service",
        "",
        ["2:10 service is 'assistant', allowed: agents, assistants | did you mean assistants?"],
        head="stack: s\nservice: assistant\n",
    ),
    Case(
        "top level: section that is a list",
        "assistants: [a]\n",
        ["3:1 assistants is a list, a map of entries is wanted | write KEY: and the entry's fields below it"],
    ),
    # Entries
    Case(
        "entries: key with a space",
        """\
assistants:
  a b: {model: m}
""",
        ["4:3 assistants: key 'a b' is not valid | use 1 to 63 letters, digits and inner hyphens"],
    ),
    Case(
        "entries: deployment key",
        """\
deployments:
  -x: {managed: false}
  gpt_4.1: {managed: false}
""",
        [
            "4:3 deployments: key '-x' is not valid | use 1 to 64 letters, digits and inner dots, hyphens and underscores"
        ],
    ),
    Case(
        "entries: missing key",
        """\
assistants:
  a: {name: x}
""",
        ["4:3 assistant.a: model is missing | add it, for example model: gpt-4o"],
    ),
    Case(
        "entries: empty entry",
        """\
assistants:
  a:
""",
        ["4:3 assistant.a: model is missing | add it, for example model: gpt-4o"],
    ),
    Case(
        "entries: entry that is text",
        """\
assistants:
  a: x
""",
        [
            "4:6 assistant.a: the entry is 'x', a map is wanted | write KEY: VALUE lines below it; known keys: name, model, description, instructions, tools, temperature, top_p, reasoning, response_format, metadata, keep_versions, protect"
        ],
    ),
    Case(
        "entries: unknown key, far from all",
        """\
assistants:
  a: {model: m, zzz: 1}
""",
        [
            "4:17 assistant.a: unknown key 'zzz' | known: description, instructions, keep_versions, metadata, model, name, protect, reasoning, response_format, temperature, tools, top_p"
        ],
    ),
    Case(
        "entries: misspelt key is not missing as well",
        """\
assistants:
  a: {modl: m}
""",
        [
            "4:7 assistant.a: unknown key 'modl' | did you mean model? Known: name, model, description, instructions, tools, temperature, top_p, reasoning, response_format, metadata, keep_versions, protect"
        ],
    ),
    Case(
        "entries: unknown key further in",
        """\
deployments:
  m: {model: {name: g, verison: x}, sku: {name: S}}
""",
        ["4:24 deployment.m: unknown key 'verison' in model | did you mean version? Known: name, version, format"],
    ),
    Case(
        "entries: text wanted",
        """\
assistants:
  a: {model: [m], name: {x: y}}
""",
        [
            "4:7 assistant.a: model is a list, text is wanted | write text, for example gpt-4o",
            "4:19 assistant.a: name is a map, text is wanted | write text, for example Contoso sales",
        ],
    ),
    Case(
        "entries: number wanted",
        """\
assistants:
  a: {model: m, temperature: warm, top_p: '0.5'}
""",
        [
            "4:30 assistant.a: temperature is 'warm', a number is wanted | write a number, without quotes",
            "4:43 assistant.a: top_p is '0.5', a number is wanted | write a number, without quotes",
        ],
    ),
    Case(
        "entries: number out of range",
        """\
assistants:
  a: {model: m, temperature: 2.1, top_p: -1}
""",
        [
            "4:30 assistant.a: temperature is 2.1, 0 to 2 are allowed | use a value in that range",
            "4:42 assistant.a: top_p is -1, 0 to 1 are allowed | use a value in that range",
        ],
    ),
    Case(
        "entries: no number",
        """\
assistants:
  a: {model: m, temperature: .nan, top_p: .inf}
""",
        [
            "4:30 assistant.a: temperature is .nan, a number is wanted | write a number, without quotes",
            "4:43 assistant.a: top_p is .inf, a number is wanted | write a number, without quotes",
        ],
    ),
    Case(
        "entries: whole number wanted",
        """\
vector_stores:
  a: {expires_after_days: 1.5}
  b: {expires_after_days: 366}
  c: {expires_after_days: true}
""",
        [
            "4:27 vector_store.a: expires_after_days is 1.5, a whole number is wanted | write a number, without quotes",
            "5:27 vector_store.b: expires_after_days is 366, 1 to 365 are allowed | use a value in that range",
            "6:27 vector_store.c: expires_after_days is true, a whole number is wanted | write a number, without quotes",
        ],
    ),
    Case(
        "entries: true or false wanted",
        """\
assistants:
  a: {model: m, protect: yes}
""",
        ["4:26 assistant.a: protect is 'yes', true or false is wanted | write true or false, without quotes"],
    ),
    Case(
        "entries: one of several words",
        """\
deployments:
  m:
    model: {name: g}
    sku: {name: S}
    version_upgrade: noautoupgrade
""",
        [
            "7:22 deployment.m: version_upgrade is 'noautoupgrade', allowed: OnceNewDefaultVersionAvailable, OnceCurrentVersionExpired, NoAutoUpgrade | did you mean NoAutoUpgrade?"
        ],
    ),
    Case(
        "entries: list wanted",
        """\
assistants:
  a: {model: m, tools: code_interpreter}
""",
        ["4:24 assistant.a: tools is 'code_interpreter', a list is wanted | write a list: - one entry a line"],
    ),
    Case(
        "entries: map wanted",
        """\
assistants:
  a: {model: m, metadata: x}
""",
        ["4:27 assistant.a: metadata is 'x', a map is wanted | write KEY: VALUE lines below it"],
    ),
    Case(
        "entries: null in metadata",
        """\
assistants:
  a: {model: m, metadata: {x: }}
""",
        ["4:28 assistant.a: metadata.x is empty, text is wanted | give a value, or remove the line"],
    ),
    Case(
        "entries: response format",
        """\
assistants:
  a: {model: m, response_format: atuo}
  b: {model: m, response_format: {type: jsn}}
""",
        [
            "4:34 assistant.a: response_format is 'atuo', allowed: auto | did you mean auto?",
            "5:41 assistant.b: response_format.type is 'jsn', allowed: text, json_object, json_schema | use one of them",
        ],
    ),
    Case(
        "entries: long value is cut",
        "assistants:\n  a: {model: m, temperature: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}\n",
        [
            "4:30 assistant.a: temperature is 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…', a number is wanted | write a number, without quotes"
        ],
    ),
    # Limits
    Case(
        "limits: name",
        f"assistants:\n  a: {{model: m, name: {'n' * 257}}}\n",
        ["4:23 assistant.a: name has 257 characters, 1 to 256 are allowed | shorten it"],
    ),
    Case(
        "limits: metadata count",
        "vector_stores:\n  a:\n    metadata: {k0: v, k1: v, k2: v, k3: v, k4: v, k5: v, k6: v, k7: v, k8: v, k9: v, k10: v, k11: v, k12: v, k13: v, k14: v, k15: v}\n",
        ["5:5 vector_store.a: metadata has 16 entries, at most 15 are allowed | remove some"],
    ),
    Case(
        "limits: metadata value",
        f"vector_stores:\n  a: {{metadata: {{x: {'v' * 513}}}}}\n",
        ["4:21 vector_store.a: metadata.x has 513 characters, at most 512 are allowed | shorten it"],
    ),
    Case(
        "limits: metadata name of ours",
        """\
vector_stores:
  a: {metadata: {asstops: x}}
""",
        ["4:27 vector_store.a: 'asstops' is reserved for the mark of asstops | choose another name"],
    ),
    Case(
        "limits: chunk overlap",
        """\
vector_stores:
  a: {chunking: {max_chunk_size_tokens: 200, chunk_overlap_tokens: 101}}
""",
        [
            "4:68 vector_store.a: chunk_overlap_tokens is 101, more than half of max_chunk_size_tokens (200) | use at most 100"
        ],
    ),
    Case(
        "limits: capacity",
        """\
deployments:
  m: {model: {name: g}, sku: {name: S, capacity: 0}}
""",
        ["4:50 deployment.m: sku.capacity is 0, at least 1 is allowed | use a value in that range"],
    ),
    # References
    Case(
        "references: vector store",
        """\
vector_stores:
  sales: {}
assistants:
  a: {model: m, tools: [{file_search: {vector_store: salse}}]}
""",
        ["6:54 assistant.a: there is no vector store 'salse' under vector_stores: | did you mean sales?"],
    ),
    Case(
        "references: vector store without section",
        """\
assistants:
  a: {model: m, tools: [{file_search: {vector_store: sales}}]}
""",
        ["4:54 assistant.a: there is no vector store 'sales' under vector_stores: | declare it under vector_stores:"],
    ),
    Case(
        "references: function",
        """\
tools:
  get-weather: {description: d}
assistants:
  a: {model: m, tools: [function: get_weather, function: get-weather]}
""",
        ["6:35 assistant.a: there is no function 'get_weather' under tools: | did you mean get-weather?"],
    ),
    Case(
        "references: file",
        """\
files:
  sales: {path: a.txt}
vector_stores:
  s: {files: [sale, sales]}
""",
        ["6:15 vector_store.s: there is no file 'sale' under files: | did you mean sales?"],
        files={"a.txt": "a"},
    ),
    Case(
        "references: path where a key is wanted",
        """\
vector_stores:
  s: {files: [a.txt]}
""",
        [
            "4:15 vector_store.s: there is no file 'a.txt' under files: | entries are keys of files:; for a path write {glob: a.txt}, or declare it under files:"
        ],
        files={"a.txt": "a"},
    ),
    Case(
        "references: deployment",
        """\
deployments:
  gpt-4o: {managed: false}
assistants:
  a: {model: gpt4o}
""",
        ["6:14 assistant.a: there is no deployment 'gpt4o' under deployments: | did you mean gpt-4o?"],
    ),
    Case(
        "references: broken entries are known all the same",
        """\
vector_stores:
  sales: {expires_after_days: 0}
assistants:
  a: {model: m, tools: [{file_search: {vector_store: sales}}]}
""",
        ["4:31 vector_store.sales: expires_after_days is 0, 1 to 365 are allowed | use a value in that range"],
    ),
    Case(
        "references: broken sections are known all the same",
        """\
vector_stores: 5
assistants:
  a: {model: m, tools: [{file_search: {vector_store: sales}}]}
""",
        ["3:1 vector_stores is 5, a map of entries is wanted | write KEY: and the entry's fields below it"],
    ),
    Case(
        "references: tool twice",
        """\
tools:
  f: {description: d}
assistants:
  a: {model: m, tools: [code_interpreter, code_interpreter, function: f, function: f]}
""",
        [
            "6:43 assistant.a: code_interpreter stands twice in tools | remove one; the first is entry 1",
            "6:74 assistant.a: function f stands twice in tools | remove one; the first is entry 3",
        ],
    ),
    Case(
        "references: two tools in one",
        """\
assistants:
  a: {model: m, tools: [{code_interpreter: {}, file_search: {}}, {}]}
""",
        [
            "4:25 assistant.a: a tool is exactly one of code_interpreter, file_search, function, mcp, openapi, web_search | one per list entry",
            "4:66 assistant.a: a tool is exactly one of code_interpreter, file_search, function, mcp, openapi, web_search | one per list entry",
        ],
    ),
    Case(
        "references: two functions of one name",
        """\
tools:
  f: {description: d}
  g: {description: d, name: f}
assistants:
  a: {model: m, tools: [function: f, function: g]}
""",
        ["7:48 assistant.a: functions f and g have the same name 'f' | give one another name:"],
    ),
    # Account
    Case(
        "account: needs a region and a subscription",
        "resource: {name: contoso, resource_group: rg}\n",
        [
            "3:1 resource: location is missing | add a region, for example location: swedencentral, or managed: false",
            "3:1 resource: subscription_id is missing | add it, or set AZURE_SUBSCRIPTION_ID in the environment",
        ],
    ),
    Case(
        "account: bad name",
        "resource: {name: a, resource_group: rg, location: westus, subscription_id: x, custom_subdomain: 'a.b'}\n",
        [
            "3:18 resource: account name 'a' is not valid | use 2 to 64 letters, digits, dots, hyphens or underscores, starting with a letter or digit",
            "3:97 resource: 'a.b' cannot be a host name | set custom_subdomain to lower-case letters, digits and hyphens, at most 64 characters",
        ],
    ),
    Case(
        "account: missing name",
        "resource: {resource_group: rg, location: westus}\n",
        ["3:1 resource: name is missing | add it, for example name: contoso-openai"],
    ),
    # Variables
    Case(
        "variables: undeclared",
        """\
vars: {capacity: 1}
origin: ${capcity}
""",
        [
            "4:9 variable capcity is not declared | did you mean capacity? Else declare capcity under vars:; for a literal ${ write $${"
        ],
    ),
    Case(
        "variables: undeclared, none like it",
        "origin: ${x}\n",
        ["3:9 variable x is not declared | declare it under vars:; for a literal ${ write $${"],
    ),
    Case(
        "variables: no value",
        """\
vars: {region: }
origin: ${region}
""",
        [
            "4:9 variable region has no value | give it with --var region=VALUE or ASSTOPS_VAR_region, or give it a default under vars:"
        ],
    ),
    Case(
        "variables: no value, own message",
        """\
vars: {region: }
origin: '${region:?name the region}'
""",
        [
            "4:9 variable region has no value: name the region | give it with --var region=VALUE or ASSTOPS_VAR_region, or give it a default under vars:"
        ],
    ),
    Case(
        "variables: not in the environment",
        "origin: ${AZURE_TENANT_ID}\n",
        ["3:9 variable AZURE_TENANT_ID has no value | set AZURE_TENANT_ID in the environment"],
    ),
    Case(
        "variables: environment is closed",
        "origin: ${HOME}\n",
        ["3:9 variable HOME is not declared | declare it under vars:; for a literal ${ write $${"],
        options={"environ": {"HOME": "/root"}},
    ),
    Case(
        "variables: no closing brace",
        "origin: a${b\n",
        ["3:9 ${ has no closing } | write ${NAME}; for a literal ${ write $${"],
    ),
    Case(
        "variables: no use of a variable",
        "origin: ${a-b}\n",
        [
            "3:9 '${a-b}' is no use of a variable | write ${NAME}, ${NAME:-default} or ${NAME:?message}; for a literal ${ write $${"
        ],
    ),
    Case(
        "variables: bad name",
        "vars: {a-b: 1}\n",
        ["3:8 variable name 'a-b' is not valid | use letters, digits and underscores"],
    ),
    Case(
        "variables: default that is a list",
        "vars: {a: [1]}\n",
        ["3:8 vars.a: a default is one value, not a map or a list | give text or a number"],
    ),
    Case(
        "variables: default with a variable",
        "vars: {a: 1, b: '${a}'}\n",
        ["3:17 vars.b: a default cannot use variables | write the value out"],
    ),
    Case(
        "variables: unknown key",
        "vars: {a: {defualt: 1}}\n",
        ["3:12 vars.a: unknown key 'defualt' | did you mean default? Known: default, description, sensitive"],
    ),
    Case(
        "variables: --var undeclared",
        "vars: {capacity: 1}\n",
        [
            "- --var sets 'capcity', which the spec does not declare | did you mean capacity? Else declare capcity under vars:"
        ],
        options={"variables": {"capcity": "2"}},
    ),
    Case(
        "variables: wrong type from a variable",
        """\
vars: {days: x}
vector_stores:
  a: {expires_after_days: '${days}'}
""",
        ["5:27 vector_store.a: expires_after_days is 'x', a whole number is wanted | write a number, without quotes"],
    ),
    Case(
        "variables: nothing more about a value that could not be filled",
        """\
vector_stores:
  a: {expires_after_days: '${x}'}
assistants:
  a: {model: m, tools: [{file_search: {vector_store: '${x}'}}], instructions: {file: '${x}'}}
""",
        [
            "4:27 variable x is not declared | declare it under vars:; for a literal ${ write $${",
            "6:54 variable x is not declared | declare it under vars:; for a literal ${ write $${",
            "6:86 variable x is not declared | declare it under vars:; for a literal ${ write $${",
        ],
    ),
    # Sensitive variables
    Case(
        "sensitive variables: in name",
        """\
vars: {s: {sensitive: true, default: hunter22}}
assistants:
  a: {model: m, name: '${s}'}
""",
        [
            "5:23 assistant.a: a sensitive variable is used in name, which may reach a model | use one that is not sensitive"
        ],
    ),
    Case(
        "sensitive variables: in instructions",
        """\
vars: {s: {sensitive: true, default: hunter22}}
assistants:
  a: {model: m, instructions: 'say ${s}'}
""",
        [
            "5:31 assistant.a: a sensitive variable is used in instructions, which may reach a model | use one that is not sensitive"
        ],
    ),
    Case(
        "sensitive variables: in model",
        """\
vars: {s: {sensitive: true, default: hunter22}}
assistants:
  a: {model: '${s}'}
""",
        [
            "5:14 assistant.a: a sensitive variable is used in model, which may reach a model | use one that is not sensitive"
        ],
    ),
    Case(
        "sensitive variables: in a function",
        """\
vars: {s: {sensitive: true, default: hunter22}}
tools:
  f: {description: '${s}'}
""",
        [
            "5:20 tools.f: a sensitive variable is used in description, which may reach a model | use one that is not sensitive"
        ],
    ),
    Case(
        "sensitive variables: in the account's name",
        """\
vars: {s: {sensitive: true, default: hunter22}}
resource: {name: '${s}', resource_group: rg, managed: false, subscription_id: x}
""",
        ["4:18 resource: a sensitive variable is used in name, which is an identity | use one that is not sensitive"],
    ),
    Case(
        "sensitive variables: in the stack's name",
        "vars: {s: {sensitive: true, default: hunter22}}\n",
        ["3:9 a sensitive variable is used in origin | use one that is not sensitive"],
        head="stack: x\nservice: assistants\norigin: '${s}'\n",
    ),
    Case(
        "sensitive variables: in a file",
        """\
vars: {s: {sensitive: true, default: hunter22}}
assistants:
  a: {model: m, instructions: {file: p.md, vars: true}}
""",
        [
            "p.md a sensitive variable is used here, and the text is sent to a model | take it out; what a model is told can be asked for"
        ],
        files={"p.md": "say ${s}"},
    ),
    Case(
        "sensitive variables: masked in a message",
        "vars: {s: {sensitive: true, default: hunter22}}\nresource: {name: contoso, resource_group: rg, subscription_id: x, location: l, custom_subdomain: '${s}!'}\nassistants:\n  a: {model: m, temperature: hunter22}\n",
        [
            "4:98 resource: '(sensitive value)!' cannot be a host name | set custom_subdomain to lower-case letters, digits and hyphens, at most 64 characters",
            "6:30 assistant.a: temperature is '(sensitive value)', a number is wanted | write a number, without quotes",
        ],
    ),
    # Credentials
    Case(
        "credentials: key",
        """\
assistants:
  a: {model: m, api_key: x}
""",
        [
            "4:17 'api_key' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment"
        ],
    ),
    Case(
        "credentials: key in metadata",
        """\
assistants:
  a: {model: m, metadata: {Api-Key: x, clientSecret: x, password: x, connection_string: x}}
""",
        [
            "4:28 'Api-Key' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment",
            "4:40 'clientSecret' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment",
            "4:57 'password' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment",
            "4:70 'connection_string' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment",
        ],
    ),
    Case(
        "credentials: variable",
        "vars: {access_token: }\n",
        [
            "3:8 'access_token' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment"
        ],
    ),
    Case(
        "credentials: at the top",
        "token: x\n",
        [
            "3:1 'token' looks like a credential, and those never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment"
        ],
    ),
    Case(
        "credentials: account key",
        "origin: AccountKey=abcdefghijklmnopqrstuvwxyz==\n",
        [
            "3:9 the value looks like a real key or token, and credentials never stand in a spec | remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment"
        ],
    ),
    # Paths
    Case(
        "paths: missing",
        """\
files:
  a: {path: dta.txt}
""",
        ["4:13 file.a: file 'dta.txt' does not exist | did you mean data.txt?"],
        files=PATHS,
    ),
    Case(
        "paths: missing folder",
        """\
files:
  a: {path: dat/x.txt}
""",
        ["4:13 file.a: file 'dat/x.txt' does not exist: there is no folder 'dat' | did you mean data?"],
        files=PATHS,
    ),
    Case(
        "paths: folder",
        """\
files:
  a: {path: data}
""",
        ["4:13 file.a: file 'data' is a folder | name a file, or use {glob: \"data/**\"}"],
        files=PATHS,
    ),
    Case(
        "paths: empty",
        """\
files:
  a: {path: empty.txt}
""",
        ["4:13 file.a: file 'empty.txt' is empty | give it content, or remove the line"],
        files=PATHS,
    ),
    Case(
        "paths: no path",
        """\
files:
  a: {path: ''}
""",
        ["4:13 file.a: the path is empty | name a file"],
        files=PATHS,
    ),
    Case(
        "paths: of a drive",
        "files:\n  a: {path: 'C:\\data\\x.txt'}\n",
        [
            "4:13 file.a: path 'C:\\data\\x.txt' is absolute | write it relative to the file that names it, with /",
        ],
        files=PATHS,
    ),
    Case(
        "paths: of a drive's current folder",
        "files:\n  a: {path: 'C:x.txt'}\n",
        ["4:13 file.a: path 'C:x.txt' names a drive | write it relative to the file that names it, with /"],
        files=PATHS,
    ),
    Case(
        "paths: backslash in double quotes",
        'files:\n  a: {path: "data\\x.txt"}\n',
        [
            (
                "4:20 not valid YAML: in double quotes \\ begins an escape, and this is none | "
                "write paths with /, other text in single quotes"
            )
        ],
        files=PATHS,
    ),
    Case(
        "paths: backslash",
        "files:\n  a: {path: data\\x.txt}\n",
        ["4:13 file.a: path 'data\\x.txt' has a backslash | write data/x.txt"],
        files=PATHS,
    ),
    Case(
        "paths: absolute",
        """\
files:
  a: {path: /etc/passwd}
""",
        ["4:13 file.a: path '/etc/passwd' is absolute | write it relative to the file that names it"],
        files=PATHS,
    ),
    Case(
        "paths: outside",
        """\
files:
  a: {path: ../x.txt}
""",
        ["4:13 file.a: path '../x.txt' leads out of the repository | copy the file into the repository"],
        files=PATHS,
    ),
    Case(
        "paths: git",
        """\
files:
  a: {path: .git/config}
""",
        ["4:13 file.a: path '.git/config' leads into .git, which a spec never reads | move the file elsewhere"],
        files=PATHS,
    ),
    Case(
        "paths: git, in capitals",
        """\
files:
  a: {path: .GIT/config}
""",
        ["4:13 file.a: path '.GIT/config' leads into .GIT, which a spec never reads | move the file elsewhere"],
        files=PATHS,
    ),
    Case(
        "paths: env",
        """\
files:
  a: {path: .env.local}
""",
        ["4:13 file.a: path '.env.local' leads into .env.local, which a spec never reads | move the file elsewhere"],
        files=PATHS,
    ),
    Case(
        "paths: cache",
        """\
files:
  a: {path: data/.asstops/x}
""",
        ["4:13 file.a: path 'data/.asstops/x' leads into .asstops, which a spec never reads | move the file elsewhere"],
        files=PATHS,
    ),
    Case(
        "paths: control character",
        'files:\n  a: {path: "a\\tb"}\n',
        ["4:13 file.a: path 'a b' has a control character | remove it"],
        files=PATHS,
    ),
    Case(
        "paths: half outside",
        """\
files:
  a: {path: data/../../x.txt}
""",
        ["4:13 file.a: path 'data/../../x.txt' leads out of the repository | copy the file into the repository"],
        files=PATHS,
    ),
    Case(
        "paths: one path twice",
        """\
files:
  a: {path: x.txt}
  b: {path: ./x.txt}
""",
        ["5:13 file.b: file './x.txt' is file.a already, at asstops.yaml:4:3 | use a instead"],
        files={"x.txt": "x"},
    ),
    Case(
        "paths: path and id",
        """\
files:
  a: {path: x.txt, id: y}
  b: {}
""",
        [
            "4:3 file.a: give either path or id | path: uploads a file; id: refers to one that is there already",
            "5:3 file.b: give either path or id | path: uploads a file; id: refers to one that is there already",
        ],
        files={"x.txt": "x"},
    ),
    Case(
        "paths: instructions missing",
        """\
assistants:
  a: {model: m, instructions: {file: prompts/a.md}}
""",
        ["4:38 assistant.a: file 'prompts/a.md' does not exist | did you mean prompts/b.md?"],
        files={"prompts/b.md": "x"},
    ),
    Case(
        "paths: instructions not UTF-8",
        """\
assistants:
  a: {model: m, instructions: {file: a.md}}
""",
        ["a.md the file is not UTF-8 text: byte 0xff at offset 2 | save it as UTF-8"],
        files={"a.md": b"ab\xff"},
    ),
    Case(
        "paths: variables in a file",
        """\
vars: {city: Ulm}
assistants:
  a: {model: m, instructions: {file: a.md, vars: true}}
""",
        [
            "a.md:2:5 variable citty is not declared | did you mean city? Else declare citty under vars:; for a literal ${ write $${"
        ],
        files={"a.md": "one\ntwo ${citty}\n"},
    ),
    # Globs
    Case(
        "globs: no match",
        """\
vector_stores:
  s: {files: [{glob: '*.pdf'}]}
""",
        [
            "4:22 vector_store.s: pattern '*.pdf' matches no file | check the pattern; it is relative to the file that names it. allow_empty: true accepts none"
        ],
        files=GLOBS,
    ),
    Case(
        "globs: outside",
        """\
vector_stores:
  s: {files: [{glob: '../**'}]}
""",
        ["4:22 vector_store.s: path '../**' leads out of the repository | copy the file into the repository"],
        files=GLOBS,
    ),
    Case(
        "globs: absolute",
        """\
vector_stores:
  s: {files: [{glob: '/etc/*'}]}
""",
        ["4:22 vector_store.s: path '/etc/*' is absolute | write it relative to the file that names it"],
        files=GLOBS,
    ),
    Case(
        "globs: env",
        """\
vector_stores:
  s: {files: [{glob: '.env*'}]}
""",
        ["4:22 vector_store.s: pattern '.env*' leads into .env*, which a spec never reads"],
        files=GLOBS,
    ),
    Case(
        "globs: into .git",
        """\
vector_stores:
  s: {files: [{glob: '.git/**'}]}
""",
        ["4:22 vector_store.s: pattern '.git/**' leads into .git, which a spec never reads"],
        files=GLOBS,
    ),
    Case(
        "globs: a folder",
        """\
vector_stores:
  s: {files: [{glob: kb/}]}
""",
        ["4:22 vector_store.s: pattern 'kb/' names a folder | write kb/** for all files in it"],
        files=GLOBS,
    ),
    Case(
        "globs: .. after a wildcard",
        """\
vector_stores:
  s: {files: [{glob: '*/../x'}]}
""",
        ["4:22 vector_store.s: pattern '*/../x' has .. after a wildcard | put .. first"],
        files=GLOBS,
    ),
    Case(
        "globs: backslash",
        "vector_stores:\n  s: {files: [{glob: 'kb\\*'}]}\n",
        ["4:22 vector_store.s: path 'kb\\*' has a backslash | write kb/*"],
        files=GLOBS,
    ),
    Case(
        "globs: empty",
        """\
vector_stores:
  s: {files: [{glob: ''}]}
""",
        ["4:16 vector_store.s: the path is empty | name a file"],
        files=GLOBS,
    ),
    Case(
        "globs: empty file",
        """\
vector_stores:
  s: {files: [{glob: 'e*'}]}
""",
        ["4:22 vector_store.s: file 'empty.txt' is empty | give it content, or remove the line"],
        files=GLOBS,
    ),
    Case(
        "globs: unknown key",
        """\
vector_stores:
  s: {files: [{glob: '*', alow_empty: true}]}
""",
        [
            "4:27 vector_store.s: unknown key 'alow_empty' in files[0] | did you mean allow_empty? Known: glob, allow_empty"
        ],
    ),
    # Function tools
    Case(
        "function tools: no description",
        """\
tools:
  f: {}
""",
        ["4:3 tools.f: description is missing | add it, for example description: Current weather for a city."],
    ),
    Case(
        "function tools: empty description",
        """\
tools:
  f: {description: ''}
""",
        [
            "4:7 tools.f: description has 0 characters, 1 to 1,024 are allowed | say in a few sentences what the function does"
        ],
    ),
    Case(
        "function tools: name",
        """\
tools:
  f: {description: d, name: a.b}
""",
        ["4:29 tools.f: name 'a.b' is not valid | use 1 to 64 letters, digits, underscores and hyphens"],
    ),
    Case(
        "function tools: not an object",
        """\
tools:
  f:
    description: d
    parameters: {type: string}
""",
        ["6:24 tools.f: parameters: type is 'string', a function's parameters are an object | write type: object"],
    ),
    Case(
        "function tools: no type",
        """\
tools:
  f:
    description: d
    parameters: {properties: {}}
""",
        ["6:5 tools.f: parameters: type is missing, a function's parameters are an object | add type: object"],
    ),
    Case(
        "function tools: text",
        """\
tools:
  f:
    description: d
    parameters: x
""",
        ["6:17 tools.f: parameters is 'x', a map is wanted | write KEY: VALUE lines below it; known keys: file, vars"],
    ),
    Case(
        "function tools: unknown type",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {type: strin}}}
""",
        [
            "6:55 tools.f: parameters: properties.a.type is 'strin', allowed: array, boolean, integer, null, number, object, string | did you mean string?"
        ],
    ),
    Case(
        "function tools: type null unquoted",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {type: [string, null]}}}
""",
        ['6:64 tools.f: parameters: properties.a.type is null | put quotes around it: "null"'],
    ),
    Case(
        "function tools: required without property",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {city: {}}, required: [town, city, city]}
""",
        [
            "6:67 tools.f: parameters: required names 'town', which is not in properties | known: city",
            "6:79 tools.f: parameters: required names 'city' twice | remove one",
        ],
    ),
    Case(
        "function tools: required as text",
        """\
tools:
  f:
    description: d
    parameters: {type: object, required: a}
""",
        ["6:42 tools.f: parameters: required is 'a', a list of names is wanted | write a list: [name]"],
    ),
    Case(
        "function tools: empty enum",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {enum: []}}}
""",
        [
            "6:49 tools.f: parameters: properties.a.enum is an empty list, so that nothing is allowed | list the values allowed"
        ],
    ),
    Case(
        "function tools: enum as text",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {enum: b}}}
""",
        ["6:55 tools.f: parameters: properties.a.enum is 'b', a list is wanted | write a list: [a, b]"],
    ),
    Case(
        "function tools: properties as list",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: [a]}
""",
        ["6:32 tools.f: parameters: properties is a list, a map of schemas is wanted | write NAME: {type: …}"],
    ),
    Case(
        "function tools: property as text",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: string}}
""",
        [
            "6:48 tools.f: parameters: properties.a is 'string', a schema is wanted | write a map such as {type: string}, true or false"
        ],
    ),
    Case(
        "function tools: items as text",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {type: array, items: string}}}
""",
        [
            "6:69 tools.f: parameters: properties.a.items is 'string', a schema is wanted | write a map such as {type: string}, true or false"
        ],
    ),
    Case(
        "function tools: empty anyOf",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {anyOf: []}}}
""",
        ["6:49 tools.f: parameters: properties.a.anyOf is an empty list | list one schema or more, or remove the line"],
    ),
    Case(
        "function tools: minimum as text",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {minimum: '1'}}}
""",
        ["6:58 tools.f: parameters: properties.a.minimum is '1', a number is wanted | write a number"],
    ),
    Case(
        "function tools: negative length",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {minLength: -1, maxItems: 1.5}}}
""",
        [
            "6:60 tools.f: parameters: properties.a.minLength is -1, a whole number from 0 is wanted | write a number",
            "6:74 tools.f: parameters: properties.a.maxItems is 1.5, a whole number from 0 is wanted | write a number",
        ],
    ),
    Case(
        "function tools: bounds the wrong way",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {minLength: 5, maxLength: 2}}}
""",
        ["6:60 tools.f: parameters: properties.a.minLength is 5, more than maxLength (2) | swap or mend the two"],
    ),
    Case(
        "function tools: pattern",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {pattern: '('}}}
""",
        [
            "6:58 tools.f: parameters: properties.a.pattern '(' is no regular expression: missing ), unterminated subpattern | mend the pattern"
        ],
    ),
    Case(
        "function tools: dangling $ref",
        "tools:\n  f:\n    description: d\n    parameters: {type: object, properties: {a: {$ref: '#/$defs/citi'}}, $defs: {city: {type: string}}}\n",
        [
            "6:55 tools.f: parameters: properties.a.$ref is '#/$defs/citi', which does not exist | did you mean #/$defs/city?"
        ],
    ),
    Case(
        "function tools: outer $ref",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {$ref: 'other.json'}}}
""",
        [
            "6:55 tools.f: parameters: properties.a.$ref is 'other.json', only references inside the schema work | use #/$defs/NAME"
        ],
    ),
    Case(
        "function tools: additionalProperties",
        """\
tools:
  f:
    description: d
    parameters: {type: object, additionalProperties: 5}
""",
        [
            "6:54 tools.f: parameters: additionalProperties is 5, a schema is wanted | write a map such as {type: string}, true or false"
        ],
    ),
    Case(
        "function tools: NaN",
        """\
tools:
  f:
    description: d
    parameters: {type: object, properties: {a: {default: .nan}}}
""",
        ["6:58 tools.f: parameters: properties.a.default has .nan, which JSON cannot hold | use a number or text"],
    ),
    Case(
        "function tools: strict",
        """\
tools:
  f:
    description: d
    strict: true
    parameters:
      type: object
      properties:
        a: {type: object, properties: {b: {type: string}}, required: [b]}
        c: {type: string}
      required: [a]
""",
        [
            "7:5 tools.f: parameters must have additionalProperties: false with strict: true | add additionalProperties: false",
            "10:9 tools.f: parameters: properties.a must have additionalProperties: false with strict: true | add additionalProperties: false",
            '11:9 tools.f: parameters: properties.c must be in required with strict: true | add it to required; for an optional one use type: [string, "null"]',
        ],
    ),
    Case(
        "function tools: file, bad JSON",
        """\
tools:
  f: {description: d, parameters: {file: f.json}}
""",
        ["f.json:2:17 not valid JSON: a key in double quotes is missing"],
        files={"f.json": '{"type": "object",\n "properties": {,}}'},
    ),
    Case(
        "function tools: file, bad schema",
        """\
tools:
  f: {description: d, parameters: {file: f.json}}
""",
        [
            "f.json:3:17 tools.f: parameters: properties.a.type is 'int', allowed: array, boolean, integer, null, number, object, string | did you mean integer?"
        ],
        files={"f.json": '{"type": "object",\n "properties": {\n  "a": {"type": "int"}}}'},
    ),
    Case(
        "function tools: file, duplicate key",
        """\
tools:
  f: {description: d, parameters: {file: f.json}}
""",
        ["f.json:2:2 key 'type' stands here and at f.json:1:2 | remove one of them"],
        files={"f.json": '{"type": "object",\n "type": "object"}'},
    ),
    Case(
        "function tools: file, bad YAML schema",
        """\
tools:
  f: {description: d, parameters: {file: f.yaml}}
""",
        [
            "f.yaml:3:13 tools.f: parameters: properties.a.type is 'int', allowed: array, boolean, integer, null, number, object, string | did you mean integer?"
        ],
        files={"f.yaml": "type: object\nproperties:\n  a: {type: int}\n"},
    ),
    Case(
        "function tools: schema of answers",
        """\
assistants:
  a:
    model: m
    response_format:
      type: json_schema
      json_schema: {name: x, schema: {type: objct}}
""",
        [
            "8:45 assistant.a: schema: type is 'objct', allowed: array, boolean, integer, null, number, object, string | did you mean object?"
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_problem(spec: Any, case: Case) -> None:
    """Exactly these problems are found, and no others follow from them."""
    if isinstance(case.text, bytes):
        found = spec.problems("", {"asstops.yaml": case.head.encode() + case.text}, **case.options)
    else:
        found = spec.problems(case.text, case.files, head=case.head, **case.options)

    assert found == case.expected


def test_all_problems_come_at_once_in_reading_order(spec: Any) -> None:
    found = spec.problems(
        "assistants:\n  b: {model: m, top_p: 2}\n  a: {}\nvector_stores:\n  s: {files: [x]}\nnonsense: 1\n"
    )

    assert [line.split(" ")[0] for line in found] == ["4:24", "5:3", "7:15", "8:1"]


KEYS = [
    "sk-" + "a1" * 12,
    "A1" * 42,
    "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + ".c",
    "ghp_" + "a" * 36,
    "-----BEGIN RSA PRIVATE" + " KEY-----",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "where",
    [
        "origin: '%s'",
        "assistants: {a: '%s'}",
        "assistants: {a: {model: m, metadata: {x: 'my %s'}}}",
        "vars: {a: '%s'}",
        "nonsense: 1\nassistants: {a: {model: m, temperature: '%s'}}",
    ],
)
def test_a_real_key_is_refused_and_never_shown(spec: Any, where: str, key: str) -> None:
    found = spec.problems(where % key)

    assert any("looks like a real key or token" in line for line in found)
    assert not any(key in line for line in found)


def test_a_sensitive_value_is_never_shown(spec: Any) -> None:
    """Wherever it ends up: as a wrong value, inside a message, or beside the variable."""
    secret = "q9"
    found = spec.problems(
        "vars: {s: {sensitive: true}}\n"
        "resource: {name: contoso, resource_group: rg, location: '${s}', kind: '${s}', managed: '${s}', custom_subdomain: '${s}!'}\n"
        "deployments:\n  m: {model: {name: g}, sku: {name: S, capacity: '${s}'}, version_upgrade: '${s}', nonsense: '${s}'}\n"
        "assistants:\n  a: {model: m, metadata: {k: '${s}'}, temperature: '${s}', instructions: {file: '${s}'}}\n",
        variables={"s": secret},
    )

    assert len(found) >= 7
    assert not [line for line in found if secret in line]


def test_a_short_sensitive_value_is_masked_where_it_stands(spec: Any) -> None:
    """One of two letters would garble every message, were it masked everywhere."""
    found = spec.problems(
        "vars: {s: {sensitive: true, default: mo}}\nnonsense: more\n"
        "resource: {name: contoso, resource_group: rg, subscription_id: x, location: l, custom_subdomain: '${s}!'}\n"
    )

    assert found[0].startswith("4:1 unknown key 'nonsense'")
    assert found[1].startswith("5:98 resource: '(sensitive value)!' cannot be a host name")


@pytest.mark.parametrize("key", ["<map>", "<text>", "<file>", "<"])
def test_keys_that_look_like_inner_names(spec: Any, key: str) -> None:
    spec.write({"x": "text"})
    text = f"assistants:\n  a: {{model: m, '{key}': 1, instructions: {{file: x, '{key}': 2}}}}\n"

    assert [line.split(" | ")[0] for line in spec.problems(text)] == [
        f"4:17 assistant.a: unknown key '{key}'",
        f"4:{48 + len(key)} assistant.a: unknown key '{key}' in instructions",
    ]


def test_references_of_a_wrong_entry_are_checked_all_the_same(spec: Any) -> None:
    """All problems come at once: what an entry refers to in vain is told beside its other mistakes."""
    text = (
        "deployments: {gpt: {managed: false}}\n"
        "assistants:\n"
        "  a:\n"
        "    modle: gpt\n"
        "    tools:\n"
        "      - code_interpretr\n"
        "      - function: nope\n"
        "      - file_search: {vector_store: docs, max_num_results: 99}\n"
        "  b: {model: other, top_p: 7}\n"
    )
    assert [line.split(" | ")[0] for line in spec.problems(text)] == [
        "6:5 assistant.a: unknown key 'modle'",
        "8:9 assistant.a: tools[0] is 'code_interpretr', a map is wanted",
        "9:19 assistant.a: there is no function 'nope' under tools:",
        "10:37 assistant.a: there is no vector store 'docs' under vector_stores:",
        "10:60 assistant.a: tools[2].file_search.max_num_results is 99, 1 to 50 are allowed",
        "11:14 assistant.b: there is no deployment 'other' under deployments:",
        "11:28 assistant.b: top_p is 7, 0 to 1 are allowed",
    ]
