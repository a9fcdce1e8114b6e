"""What the numbers of FreeSurfer's segmentations mean, which SynthSeg and FastSurfer use as well.

After ``FreeSurferColorLUT.txt``: subcortical structures (Fischl 2002) have a number each; the cortex of Desikan (2006)
has one a hemisphere, from 1000 on the left and from 2000 on the right, the white matter below it from 3000 and 4000.
"""

from __future__ import annotations

_LEFT_AND_RIGHT = {
    (2, 41): "Cerebral-White-Matter",
    (3, 42): "Cerebral-Cortex",
    (4, 43): "Lateral-Ventricle",
    (5, 44): "Inf-Lat-Vent",
    (7, 46): "Cerebellum-White-Matter",
    (8, 47): "Cerebellum-Cortex",
    (10, 49): "Thalamus",
    (11, 50): "Caudate",
    (12, 51): "Putamen",
    (13, 52): "Pallidum",
    (17, 53): "Hippocampus",
    (18, 54): "Amygdala",
    (26, 58): "Accumbens-area",
    (28, 60): "VentralDC",
    (30, 62): "vessel",
    (31, 63): "choroid-plexus",
    (78, 79): "WM-hypointensities",
    (81, 82): "non-WM-hypointensities",
    (5001, 5002): "UnsegmentedWhiteMatter",
}
_MIDLINE = {
    **{14: "3rd-Ventricle", 15: "4th-Ventricle", 16: "Brain-Stem", 24: "CSF", 72: "5th-Ventricle"},
    **{77: "WM-hypointensities", 80: "non-WM-hypointensities", 85: "Optic-Chiasm", 192: "Corpus-Callosum"},
    **{251: "CC-Posterior", 252: "CC-Mid-Posterior", 253: "CC-Central", 254: "CC-Mid-Anterior", 255: "CC-Anterior"},
}
_CORTEX = (  # from 0 on
    "unknown bankssts caudalanteriorcingulate caudalmiddlefrontal corpuscallosum cuneus entorhinal fusiform "
    "inferiorparietal inferiortemporal isthmuscingulate lateraloccipital lateralorbitofrontal lingual "
    "medialorbitofrontal middletemporal parahippocampal paracentral parsopercularis parsorbitalis parstriangularis "
    "pericalcarine postcentral posteriorcingulate precentral precuneus rostralanteriorcingulate rostralmiddlefrontal "
    "superiorfrontal superiorparietal superiortemporal supramarginal frontalpole temporalpole transversetemporal insula"
)


def freesurfer_names() -> dict[int, str]:
    """Number to name, of every structure that ``aseg``, ``aparc+aseg``, ``wmparc`` and SynthSeg number.

    >>> names = freesurfer_names()
    >>> names[10], names[1012], names[2012], names[3012]
    ('Left-Thalamus', 'ctx-lh-lateralorbitofrontal', 'ctx-rh-lateralorbitofrontal', 'wm-lh-lateralorbitofrontal')
    """
    found = dict(_MIDLINE)
    for (left, right), name in _LEFT_AND_RIGHT.items():
        found |= {left: f"Left-{name}", right: f"Right-{name}"}
    sides = ((1000, "ctx-lh"), (2000, "ctx-rh"), (3000, "wm-lh"), (4000, "wm-rh"))
    for first, side in sides:
        found |= {first + number: f"{side}-{name}" for number, name in enumerate(_CORTEX.split())}
    return dict(sorted(found.items()))
