"""Mends that the user asked for, kept with the series' node so that a run can say what was mended."""

from __future__ import annotations

import json
from dataclasses import replace

from .acquisition_rows import setAcquisition, setContext


def mendsOf(node) -> tuple:
    """The records of what was mended on a series' node."""
    from ASLDenoiseLib.scene.series import PREFIX
    from ASLDenoiseLib.series import Origin, Parameter

    kept = json.loads(node.GetAttribute(PREFIX + "mends") or "[]")
    return tuple(Parameter(name, what, "", Origin.USER, note) for name, what, note in kept)


def applyMend(node, series, mend):
    """Mend a series: its node in place, or as a new series where voxels change, so that none is overwritten.

    Args:
        node: of the series.
        series: as read from the node.
        mend: an `tasks.Mend` of it.

    Returns:
        The node of the mended series: `node`, or the new sequence.
    """
    if mend.array is not None:
        from ASLDenoiseLib.scene.series import series_to_nodes

        mended = replace(
            series,
            array=mend.array,
            acquisition=mend.acquisition,
            context=mend.context,
            name=f"{series.name}_mended",
        )
        target = series_to_nodes(mended, scene=node.GetScene()).sequence
        records = (*mendsOf(node), mend.record)
    else:
        target, records = node, (*mendsOf(node), mend.record)
        setContext(node, mend.context)
        setAcquisition(node, mend.acquisition)
    _keep(target, records)
    return target


def _keep(node, records) -> None:
    from ASLDenoiseLib.scene.series import PREFIX

    node.SetAttribute(PREFIX + "mends", json.dumps([[r.name, str(r.value), r.note] for r in records]))
