"""One module a section of the page: each chooses its numbers and words and gives blocks.

What does not belong here: reading files (`inputs`), drawing (`charts`), looks (the template).
"""
