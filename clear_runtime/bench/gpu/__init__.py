"""The minutes in which a GPU is at hand: what is right on it, how fast it is, what it can train, what it makes better.

    python -m clear_runtime bench gpu --minutes 8 --data FOLDER --out FOLDER     FOLDER from `bench prepare`
    python -m clear_runtime bench gpu --minutes 3 --device cpu --tiny --out FOLDER        a rehearsal

plan.py says what is run, in which order and for how long; runner.py runs each part in a process of its own.
"""
