"""The models that can be deployed, with their versions, SKUs, quota and lifecycle.

Owns the data and the questions asked of it. Made for tests: small, and only as true as they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from asstops.emulator.settings import EmulatorSettings

LOCATIONS = [
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "global",
    "italynorth",
    "japaneast",
    "japanwest",
    "koreacentral",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "switzerlandwest",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westus",
    "westus2",
    "westus3",
]
ACCOUNT_LIMIT = 200
_REGIONAL, _GLOBAL, _ZONE = "Standard", "GlobalStandard", "DataZoneStandard"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model. `status` is the lifecycleStatus; a Deprecated one cannot be deployed anew."""

    version: str
    retires: str
    status: str = "GenerallyAvailable"
    default: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """One model; `chat` says which capability its deployments have."""

    name: str
    versions: tuple[Version, ...]
    skus: tuple[str, ...]
    quota: int
    chat: bool = True

    def version(self, wanted: str | None) -> Version | None:
        """Return that version, or the default one for None."""
        for version in self.versions:
            if version.default if wanted is None else version.version == wanted:
                return version
        return None

    def with_default(self, wanted: str) -> Model:
        """Return the model with another default version."""
        return replace(self, versions=tuple(replace(each, default=each.version == wanted) for each in self.versions))

    def without(self, retired: str) -> Model:
        """Return the model with a version that cannot be deployed any more."""
        versions = (replace(v, status="Deprecated") if v.version == retired else v for v in self.versions)
        return replace(self, versions=tuple(versions))

    def usage_name(self, sku: str) -> str:
        return f"OpenAI.{sku}.{self.name}"

    def capabilities(self, *, deployed: bool = False) -> dict[str, str]:
        if not self.chat:
            return {"embeddings": "true", "embeddingsMaxInputs": "2048"}
        shown = {"assistants": "true", "chatCompletion": "true", "jsonSchemaResponse": "true"}
        return shown if deployed else {**shown, "agentsV2": "true"}


MODELS = {
    model.name: model
    for model in (
        Model(
            "gpt-4o",
            (
                Version("2024-05-13", "2026-03-31", "Deprecated"),
                Version("2024-08-06", "2027-03-31"),
                Version("2024-11-20", "2028-04-01", default=True),
            ),
            (_GLOBAL, _ZONE, _REGIONAL),
            450,
        ),
        Model("gpt-4o-mini", (Version("2024-07-18", "2028-04-01", default=True),), (_GLOBAL, _ZONE, _REGIONAL), 2000),
        Model("gpt-4.1", (Version("2025-04-14", "2028-10-14", default=True),), (_GLOBAL, _ZONE), 1000),
        Model("gpt-4.1-mini", (Version("2025-04-14", "2028-10-14", default=True),), (_GLOBAL, _ZONE), 2000),
        Model("gpt-4.1-nano", (Version("2025-04-14", "2028-10-14", default=True),), (_GLOBAL,), 2000),
        Model("o3-mini", (Version("2025-01-31", "2028-02-01", default=True),), (_GLOBAL, _ZONE), 500),
        Model(
            "gpt-4-turbo",
            (Version("2024-04-09", "2027-06-01", "Deprecating", default=True),),
            (_REGIONAL,),
            80,
        ),
        Model("text-embedding-3-large", (Version("1", "2028-04-15", default=True),), (_GLOBAL, _REGIONAL), 350, False),
        Model("text-embedding-3-small", (Version("1", "2028-04-15", default=True),), (_GLOBAL, _REGIONAL), 350, False),
        Model("text-embedding-ada-002", (Version("2", "2028-04-15", default=True),), (_GLOBAL, _REGIONAL), 350, False),
    )
}

ACCOUNT_SKUS = {"OpenAI": ("S0",), "AIServices": ("S0",)}
OTHER_KINDS = ("CognitiveServices", "ComputerVision", "ContentSafety", "Face", "FormRecognizer", "SpeechServices",
               "TextAnalytics", "TextTranslation")  # fmt: skip


def account_skus(kind: str) -> tuple[str, ...]:
    """Return the SKUs of an account kind; empty when there is no such kind."""
    if kind in ACCOUNT_SKUS:
        return ACCOUNT_SKUS[kind]
    return ("F0", "S0") if kind in OTHER_KINDS else ()


def pairs() -> Iterator[tuple[Model, str]]:
    for model in MODELS.values():
        for sku in model.skus:
            yield model, sku


def limit(settings: EmulatorSettings, model: Model, sku: str) -> int:
    """Return the quota of a model and SKU in each location."""
    return settings.quota.get(model.usage_name(sku), model.quota)
