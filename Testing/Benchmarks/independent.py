"""Denoisers on scans of another simulator, unlike anything they were trained on; writes independent.md."""

from __future__ import annotations

from ASLDenoiseLib.measuring.image_quality import bias, ccc, psnr

from .library.asldro_scans import PAIRS, SCANS, asldro_case, require_asldro
from .library.cases import Case
from .library.command import begin, options, say
from .library.methods import TUNED, Method, chosen_models, network_methods, simple_methods
from .library.tables import mean_row, table

# As they were best on brain-15 (denoise.md): nothing is tuned here.
PEERS = {"total variation": 0.5, "BM4D": 1.0, "local regression on the T1": 25.0}


def figures(case: Case, method: Method) -> dict[str, float]:
    array, truth = case.cbf(method.run(case)).array, case.truth.array
    return {
        "PSNR (dB)": psnr(array, truth, case.inside),
        "CCC": ccc(array, truth, case.inside),
        "GM bias (%)": bias(array, truth, case.gm),
        "WM bias (%)": bias(array, truth, case.wm),
    }


def peers() -> list[Method]:
    methods = simple_methods()
    for name, strength in PEERS.items():
        peer = TUNED[name]
        methods.append(Method(f"{name} ({peer.form.format(strength)})", peer.kind, peer.make(strength)))
    return methods


def main() -> None:
    quick = "the first scan; the table is printed alone"
    command = begin(__file__, options(__doc__, "models", "device", "threads", quick=quick))
    args = command.args
    require_asldro()
    methods = [*peers(), *network_methods(chosen_models(args.models), device=args.device)]
    scans = SCANS[:1] if args.quick else SCANS
    found: dict[str, dict[str, dict[str, float]]] = {}
    for number, scan in enumerate(scans):
        case = asldro_case(scan, seed=100 + number)
        for method in methods:
            found.setdefault(method.name, {})[scan.label] = figures(case, method)
        say(scan.label)
    means = {name: mean_row(rows.values()) for name, rows in found.items()}
    command.publish(
        "Denoisers on another simulator",
        f"{len(scans)} scans by ASLDRO (PyPI asldro, MIT): the ICBM 2009a average head sampled at points, white "
        f"complex noise, constant perfusion a tissue; 3D pCASL, {PAIRS} pairs, no suppression, M0 and T1 of the same "
        "head. Each is read from files and prepared by a run (motion, T1 segmented and registered, outliers), so "
        "brain, tissue and guides are its own. The truth is the same scan without noise, calibrated alike. GM and WM "
        "are the simulator's "
        "labels in the brain, WM a voxel away from any other tissue in plane. Peers have the strengths that were best "
        "on brain-15.",
        "## Means over the scans",
        table(means),
        *(
            block
            for scan in scans
            for block in (f"## {scan.label}", table({name: rows[scan.label] for name, rows in found.items()}))
        ),
    )


if __name__ == "__main__":
    main()
