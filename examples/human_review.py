"""Let a person see and change the plan before anything is written, even days later.

    python examples/human_review.py

With `review=True` the chain pauses after the plan. The pause is kept by a checkpointer, here in a
SQLite file, so the answer may come from another process. What is written after it is kept as well:
a run that breaks goes on with `chain.invoke(None, config)`, and no section is written twice.
"""

import tempfile
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from longchain import AgentWriteChain, WritingPlan

SOURCES = Path(__file__).parent / "sources"
THREAD: RunnableConfig = {"configurable": {"thread_id": "report on water"}}


def ask(database: str) -> WritingPlan:
    """Begin the document, and return the plan that waits for an answer."""
    with SqliteSaver.from_conn_string(database) as saver:
        chain = AgentWriteChain(review=True, checkpointer=saver)
        paused = chain.invoke(
            {
                "instruction": "Write a 900-word report on how water is made safe to drink.",
                "sources": str(SOURCES),
            },
            THREAD,
        )
    (interrupt,) = paused["__interrupt__"]
    return WritingPlan.model_validate(interrupt.value["plan"])


def answer(database: str, plan: WritingPlan) -> dict[str, Any]:
    """Hand the plan back, and return the document that follows it."""
    with SqliteSaver.from_conn_string(database) as saver:
        chain = AgentWriteChain(review=True, checkpointer=saver)
        return chain.invoke(Command(resume=plan.model_dump()), THREAD)


def main() -> None:
    """Begin, change the plan as a person would, and finish."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder, "reviews.db"))

        plan = ask(database)
        print("The planner proposes:")
        for section in plan.sections:
            print(f"  {section.length:>4} words  {section.heading}")

        # What a person might do: another title, and half as much again for the first section.
        plan.title = "Clean Water"
        plan.sections[0].length = round(plan.sections[0].length * 1.5)

        document = answer(database, plan)
        print(f"\n{document['text']}")
        print(f"{document['length']} words, planned by: {document['report']['planned_by']}")


if __name__ == "__main__":
    main()
