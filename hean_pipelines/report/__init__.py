"""The HTML report: what the system forecast, how well, what it traded and how complete its data are.

`build.build_report` is the way in. Here belongs everything from reading the inputs to the finished page, in rooms: `inputs`
(files), `blocks` (what a page is made of), `svg` and `charts` (drawing), one module a section, and `build` (the page).
What does not belong here: computing forecasts, trades or marts. Import concrete modules; nothing is re-exported.
"""
