"""Triage of very many papers at once, by the policy that serves a reader: years of them, from files or from the store.

    files, or what is stored ─► records ─► chunks ─► engine: judged(chunk, judge), on one machine or on many
                                                         │ rows, in any order
                          best of each month ◄─ folder ◄─┘ one file a chunk, then one file of all

A chunk's rows depend on the chunk and the judge alone, so that engines differ in speed only, and a chunk that was lost with
its worker is simply judged again. What is done is what stands in the folder; `run` goes on with the rest.
"""
