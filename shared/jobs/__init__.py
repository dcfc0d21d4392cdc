"""Work that a provider does for minutes, and that is paid for: it is written down, and outlives page and server.

The engine opens a `Book` before it sends a job and writes into it what becomes of it; `Engine.resume` goes on with it.
"""
