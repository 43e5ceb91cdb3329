"""What measurements found: a list of {name, unit, value, peer, peer_value, ratio, goal, met}; `peer` is who does the same, `met` whether the goal was."""
import json
import pathlib

PATH = pathlib.Path(__file__).resolve().parents[2] / "build/bench.json"


def store(results):
    """Into build/bench.json, in the place of earlier ones of the same names."""
    names = {r["name"] for r in results}
    known = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps([r for r in known if r["name"] not in names] + results, indent=1) + "\n", encoding="utf-8")


def show(results):
    """As a table, with how many goals were met."""
    print(f"{'NAME':<38}{'VALUE':>10} {'UNIT':<12}{'GOAL':>8}  {'MET':<5}PEER")
    for r in results:
        peer = f"{r['peer']}: {r['peer_value']}, ratio {r['ratio']}" if r["peer_value"] else ""
        print(f"{r['name']:<38}{r['value']:>10} {r['unit']:<12}{r['goal']:>8}  {'yes' if r['met'] else 'NO':<5}{peer}")
    print(f"{sum(r['met'] for r in results)} of {len(results)} goals met")
