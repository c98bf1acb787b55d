"""A tiny LongWriter for tests and demos: a generated corpus -> a chat model of 1.4 M weights.

`python -m examples.tiny_longwriter --seed N -o DIR` trains it from scratch in one go, and
`python -m examples.tiny_longwriter evaluate DIR` measures it. It writes toy sentences; what it has
learnt is to keep to a length, to plan, and to stop.

```
lexicon.py    the words
prose.py      topic + length -> prose of that many words
outlines.py   topic + total -> a plan whose budgets add up
requests.py   what is asked, in the library's own prompts -> conversations
corpus.py     seed -> all training conversations
tokenizer.py  vocabulary, numbers as whole tokens, chat template
model.py      Llama in a dictionary of tensors, and its export
batches.py    conversations -> token batches with losses and what is left to write
optimizer.py  Muon for matrices, Adam for the rest
train.py      all of it, from seed to folder
sampler.py    checkpoint + prompts -> sampled replies
evaluate.py   checkpoint -> figures with standard errors
card.py       figures -> the checkpoint's README
checkpoint/   the one that is shipped
```
"""
