"""Write a report: plan it, look at the plan, write it, look at what it came to.

    python examples/quickstart.py

The model is the one that your environment names (`LONGCHAIN_MODEL=openai:gpt-5`, a server at
`LONGCHAIN_BASE_URL`, or `OPENAI_API_KEY`). With none of these the offline writer makes the report
out of the texts in `examples/sources`, without a network.
"""

from pathlib import Path

from longchain import AgentWriteChain, chat_model
from longchain.models.resolve import describe

SOURCES = Path(__file__).parent / "sources"


def main() -> None:
    """Plan a report, write it, and tell what it came to."""
    model = chat_model()
    print(f"Model: {describe(model)}\n")

    chain = AgentWriteChain(model)
    task = {
        "instruction": "Write a 1,200-word report on how cities get their water.",
        "sources": str(SOURCES),
    }

    plan = chain.plan(task)
    for section in plan.sections:
        print(f"{section.length:>5} words  {section.heading}")

    # The plan is yours to change: headings, main points, lengths, order.
    plan.title = "Water for Cities"
    document = chain.invoke({**task, "plan": plan})
    print(f"\n{document['text']}")

    report = document["report"]
    print(f"Length: {document['length']:,} of {report['required_length']:,} words")
    print(f"Length score: {report['length_score']} of 100")
    print(f"Citations: {report['citations']['citations']} to {len(document['references'])} sources")
    print(f"Model calls: {document['usage']['calls']}")


if __name__ == "__main__":
    main()
