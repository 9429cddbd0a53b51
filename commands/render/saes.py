"""SAEs, their training and their gate as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, cost, number, table, visible


def _cost(result: Result, console: Console) -> None:
    trainings = f"{result['trainings']} trainings of" if result["trainings"] > 1 else "a training of"
    sets = "recorded already" if result["recorded"] else "to be recorded first"
    what = (
        f"{trainings} {result['steps']:,} steps: {result['architecture']}, {result['latents']} latents at "
        f"{result['site']}, {result['activations']:,} activations of {result['corpus']} ({sets})"
    )
    cost(result, what, console)


def trained(result: Result, console: Console) -> None:
    """What a training gave, or what it would take."""
    if result.get("dry_run"):
        _cost(result, console)
        return
    console.print(Text(f"{visible(result['name'])}: {_kind(result)}", "bold"))
    lines = [
        f"  site         {result['site']}, {result['width']} units",
        f"  trained on   {result['activations'] - result['validation_rows']:,} activations of "
        f"{visible(result['corpus'])}, {result['steps']} steps of {result['batch']}",
        f"  validation   FVU {number(result['fvu'])}, loss {number(result['loss'])}, L0 {number(result['l0'], 1)} "
        f"on {result['validation_rows']:,}",
        f"  dead         {result['dead']} of {result['latents']} latents in the last "
        f"{result['dead_window']:,} tokens of training",
    ]
    gate = result["gate"]
    lines.append(f"  sanity gate  {'passed' if gate['passed'] else ', '.join(item['name'] for item in gate['alarms'])}")
    if result["stopped"]:
        lines.append(f"  {result['stopped']}")
    for line in lines:
        console.print(Text(line))
    curve = result["curve"]
    picked = [curve[at * (len(curve) - 1) // 9] for at in range(10)] if len(curve) > 10 else curve
    rows = [
        [point["step"], number(point["loss"]), number(point["fvu"]), number(point["l0"], 1), point["dead"],
         "-" if point["k"] is None else point["k"]]
        for point in picked
    ]  # fmt: skip
    table(console, [(name, True) for name in ("step", "loss", "FVU", "L0", "dead", "k")], rows)


def _kind(result: Result) -> str:
    if result["k"] is None:
        return f"{result['architecture']}, {result['latents']} latents, penalty {number(result['sparsity'])}"
    start = f" from {result['k_start']}" if result["schedule"] else ""
    return f"{result['architecture']}, {result['latents']} latents, k {result['k']}{start}"


def sweep(result: Result, console: Console) -> None:
    """A line for every SAE of a sweep, or what it would take."""
    if result.get("dry_run"):
        _cost(result, console)
        return
    rows = [
        [row["k"] if row["k"] is not None else number(row["sparsity"]),
         f"from {row['k_start']}" if row["schedule"] else "fixed" if row["k"] is not None else "",
         number(row["loss"]), number(row["fvu"], 4), number(row["l0"], 1), row["dead"], row["silent"]]
        for row in result["rows"]
    ]  # fmt: skip
    first = "k" if result["rows"][0]["k"] is not None else "penalty"
    columns = [(first, True), ("schedule", False), ("validation loss", True), ("FVU", True), ("L0", True)]
    title = (
        f"{result['architecture']}, {result['latents']} latents at {result['site']}, {result['activations']:,} tokens"
    )
    table(console, [*columns, ("dead", True), ("silent", True)], rows, title)
    told = f"dead: silent for the last {result['dead_window']:,} tokens of training; silent: on all validation rows"
    console.print(Text(told, "dim"))
    if result["verdict"]:
        console.print(Text(result["verdict"]))


def sae(result: Result, console: Console) -> None:
    """The loaded features and what the gate found."""
    if "name" in result:
        console.print(Text(f"{visible(result['name'])}: {result['width']} {result['units']}", "bold"))
    gate = result["gate"]
    if gate is None or not gate["checked"]:
        return
    numbers = gate["numbers"]
    norms, bos = numbers["decoder_norm"], numbers.get("bos")
    rows = [
        ["FVU", number(numbers["fvu"], 4), "variance unexplained"],
        ["L0", number(numbers["l0"], 1), "latents active on a token"],
        ["dead", number(100 * numbers["dead"], 1) + " %", f"never fired on {numbers['tokens']:,} tokens"],
        ["CE recovered", number(gate["ce"], 4), "1: nothing lost, 0: no better than the mean"],
        ["shrinkage", number(numbers["shrinkage"]), "size of the reconstruction, 1 is right"],
        ["decoder norms", number(norms["median"]), f"{number(norms['min'])} to {number(norms['max'])}"],
        ["input scale", number(numbers["scale"]["best"], 2), "fits best, 1 is right"],
    ]
    rows += [["FVU", number(layer["fvu"], 4), f"at {layer['site']}"] for layer in numbers["layers"]]
    if bos is not None:
        rows.append(["FVU", number(bos["fvu_other"], 4), f"{'without' if bos['read'] else 'with'} BOS"])
    table(console, [("", False), ("", True), ("", False)], rows, f"measured on the corpus {gate['corpus']}")
    for item in gate["skipped"]:
        console.print(Text(f"  not measured: {visible(item['name'])} ({visible(item['reason'])})"))
