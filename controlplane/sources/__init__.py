"""Where what authorities declare and log is read: files, servers, feeds, each translated into the words.

A source knows nothing of the loop. What it reads is hostile: bounded, counted where not understood, never guessed.
"""
