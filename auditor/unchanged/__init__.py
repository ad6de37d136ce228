"""The result of a scan, kept for the next one of the same: the same files, the same words, the same program, the same day.

What a scan depends on is put into one digest before it begins and once more when it has ended (`index`, `program`, `kept`);
only where both are equal is its result kept, and only who comes with the same digest gets it. A file counts as the same by
path, size, times, inode and mode; one that changed a moment ago may change again unseen, and then nothing is kept.
"""
