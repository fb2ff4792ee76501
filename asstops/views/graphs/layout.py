"""Where the boxes of a layered drawing go: from left to right along the edges, with few crossings. Pure.

The usual way of layered graph drawing: give each node a layer, break up edges over several layers with points in
between, order each layer by where its neighbours are, then move everything as near to its neighbours as it may.
Deterministic: the same picture gives the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 12
_ALIGNMENTS = 8
BOX = 46.0  # height of a box
GAP = 16.0  # between two boxes of a layer
LANE = 14.0  # what an edge that passes by takes
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes as (left, top, width, height), in the order of the nodes; edges as points; the whole as width, height."""

    boxes: tuple[tuple[float, float, float, float], ...]
    edges: tuple[Points, ...]
    width: float
    height: float


def layout(widths: Sequence[float], edges: Sequence[tuple[int, int]], *, space: float = 60.0) -> Layout:
    """Place nodes of these widths. `space` is between two layers. Edges that close a circle are drawn backwards."""
    count = len(widths)
    layer = _layers(count, edges)
    chains, layer = _chains(edges, layer)
    beside: list[tuple[list[int], list[int]]] = [([], []) for _ in layer]
    for chain in chains:
        for this, that in pairwise(chain):
            if layer[this] != layer[that]:
                beside[this][1].append(that)
                beside[that][0].append(this)
    rows: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    for node, its in enumerate(layer):
        rows[its].append(node)
    _order(rows, beside)
    heights = [BOX if node < count else 0.0 for node in range(len(layer))]
    centre = _align(rows, beside, heights)
    lefts: list[float] = []
    at = 0.0
    for row in rows:
        lefts.append(at)
        at += max((widths[node] for node in row if node < count), default=0.0) + space
    right = [
        lefts[layer[node]] + max((widths[other] for other in rows[layer[node]] if other < count), default=0.0)
        for node in range(len(layer))
    ]
    boxes = tuple((lefts[layer[node]], centre[node] - BOX / 2, widths[node], BOX) for node in range(count))
    paths: list[Points] = []
    for chain in chains:
        first, last = chain[0], chain[-1]
        points = [(lefts[layer[first]] + widths[first], centre[first])]
        for node in chain[1:-1]:
            points += [(lefts[layer[node]], centre[node]), (right[node], centre[node])]
        points.append((lefts[layer[last]], centre[last]))
        paths.append(tuple(points))
    return Layout(boxes, tuple(paths), max(at - space, 0.0), max((top + BOX for _, top, _, _ in boxes), default=0.0))


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way from a node that nothing refers to; such nodes stand right before the first thing they need."""
    layer = [0] * count
    for _ in range(count):  # a circle would go on for ever
        moved = False
        for start, end in edges:
            if layer[end] <= layer[start] and layer[start] + 1 < count:
                layer[end] = layer[start] + 1
                moved = True
        if not moved:
            break
    referred = {end for _, end in edges}
    for node in range(count):
        ends = [layer[end] for start, end in edges if start == node]
        if node not in referred and ends:
            layer[node] = max(0, min(ends) - 1)
    return layer


def _chains(edges: Sequence[tuple[int, int]], layer: list[int]) -> tuple[list[list[int]], list[int]]:
    """Each edge as nodes of neighbouring layers; the points in between are further nodes, with their layers."""
    layer = list(layer)
    chains = []
    for start, end in edges:
        chain = [start]
        for between in range(layer[start] + 1, layer[end]):
            chain.append(len(layer))
            layer.append(between)
        chains.append([*chain, end])
    return chains, layer


def _order(rows: list[list[int]], beside: Sequence[tuple[list[int], list[int]]]) -> None:
    """Sort each layer by the middle of its neighbours, to the right and to the left in turn."""
    for sweep in range(_SWEEPS):
        side = sweep % 2
        places = {node: place for row in rows for place, node in enumerate(row)}
        for row in rows if side == 0 else rows[::-1]:
            middles = {}
            for node in row:
                near = beside[node][side]
                middles[node] = sum(places[other] for other in near) / len(near) if near else places[node]
            row.sort(key=lambda node: (middles[node], node))
            places.update({node: place for place, node in enumerate(row)})


def _align(
    rows: Sequence[Sequence[int]], beside: Sequence[tuple[list[int], list[int]]], heights: Sequence[float]
) -> list[float]:
    """The middle of each node from the top down, as near to its neighbours as order and distance allow."""
    centre = [0.0] * len(heights)
    offsets: list[list[float]] = []
    for row in rows:
        at, own = 0.0, []
        for place, node in enumerate(row):
            if place:
                at += (heights[row[place - 1]] + heights[node]) / 2
                at += GAP if heights[row[place - 1]] and heights[node] else LANE
            own.append(at)
            centre[node] = at
        offsets.append(own)
    for turn in range(_ALIGNMENTS):
        last = turn == _ALIGNMENTS - 1
        order = list(zip(rows, offsets, strict=True))
        for row, own in order if turn % 2 == 0 else order[::-1]:
            wanted = []
            for node in row:
                near = [*beside[node][0], *beside[node][1]] if last else beside[node][turn % 2]
                wanted.append(sum(centre[other] for other in near) / len(near) if near else centre[node])
            placed = _rising([want - offset for want, offset in zip(wanted, own, strict=True)])
            for node, base, offset in zip(row, placed, own, strict=True):
                centre[node] = base + offset
    top = min((centre[node] - height / 2 for node, height in enumerate(heights)), default=0.0)
    return [at - top for at in centre]


def _rising(wanted: Sequence[float]) -> list[float]:
    """The numbers nearest to these that never fall: neighbours that would are given their mean."""
    pools: list[tuple[float, int]] = []
    for value in wanted:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, size), (two, more) = pools[-2], pools[-1]
            pools[-2:] = [((one * size + two * more) / (size + more), size + more)]
    return [value for value, size in pools for _ in range(size)]
