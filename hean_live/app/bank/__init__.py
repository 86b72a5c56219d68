"""What the engine makes of the shadows' news: signals judged and sized, trips and forecasts kept, requests to quote.

Begin with `entries`. Carrying a signal out is `hean_live.app.campaigns`.
"""
