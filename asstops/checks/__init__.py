"""What is worth knowing before an apply: rights, models, quota, names, files. Reads, and writes nothing.

`findings` has the words, `facts` what services said in a form of ours; `roles`, `account`, `deployments`, `prompts` and
`files` decide, purely. `reading` asks Azure Resource Manager. `of_plan` and `survey` put it together, for `plan` and
for `doctor`.
"""
