"""What a person does after a migration, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def after_apply(folder: str, files: bool) -> tuple[str, ...]:
    """The steps after a spec was written from a service or an export."""
    where = f"-f {folder} " if folder else ""
    steps = ["put every file that is listed in its place"] if files else []
    return (
        *steps,
        "set FOUNDRY_PROJECT_ENDPOINT, or add resource: with a project to the spec",
        f"asstops {where}plan, then asstops {where}apply",
        "point your programs at the agents; they are called by name, through the Responses API",
        "delete the old assistants when nothing uses them any more; asstops never touches them",
    )


def after_edit(
    spec: str, old: str, *, account: bool, stays: bool = False, environments: Sequence[str] = ()
) -> tuple[str, ...]:
    """The steps after a spec was rewritten. `old` says where the old one still is; `stays`: both own one account."""
    place = "set FOUNDRY_PROJECT_ENDPOINT to the project's endpoint, and sign in with Microsoft Entra ID"
    plan = f"asstops {spec} plan, then asstops {spec} apply"
    also = f"; the same with {' and with '.join(f'--env {name}' for name in environments)}" if environments else ""
    end = f"take the old stack away with {old} when nothing uses it any more"
    if stays:
        end = (
            "delete the old assistants by hand when nothing uses them any more; asstops destroy of the old spec would "
        )
        end += "delete the account and the deployments that the new one uses"
    return (
        *(() if account else (place,)),
        f"{plan}{also}; files and vector stores are made anew from the repository",
        "point your programs at the agents; they are called by name, through the Responses API",
        end,
    )
