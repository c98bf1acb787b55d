"""Write a report with a LongWriter model on a vLLM server of its own.

    LONGCHAIN_VLLM_PYTHON=/path/to/venv/bin/python python examples/longwriter_vllm.py [MODEL]

MODEL is a folder or a hub's name, such as `THUDM/LongWriter-glm4-9b`; without one it is the tiny
model of `examples/tiny_longwriter`, which writes toy sentences, on any CPU. Needs vLLM, in this
Python or in the one that the variable names.
"""

import sys
from pathlib import Path

from longchain import AgentWriteChain, LongWriterLLM

TINY = Path(__file__).parent / "tiny_longwriter" / "checkpoint"
INSTRUCTION = "Write a 400-word report on the harbor."


def main() -> None:
    """Serve a model, let it write in three ways, and compare the lengths."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else str(TINY)
    with LongWriterLLM.serve(wanted, progress=print) as model:
        profile = model.ask_profile()
        print(f"{model.model_name}: a window of {profile['max_input_tokens']:,} tokens")

        whole = model.invoke(INSTRUCTION)
        print(f"asked at once: {len(whole.text.split())} words")

        for mode in ("direct", "sequential"):
            document = AgentWriteChain(model, mode=mode).invoke(INSTRUCTION)
            calls, score = document["usage"]["calls"], document["report"]["length_score"]
            print(f"{mode}: {document['length']} words in {calls} calls, length score {score}")
    print(f"\n{document['text']}")


if __name__ == "__main__":
    main()
