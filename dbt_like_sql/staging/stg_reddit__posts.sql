-- description: How posts in the chosen subreddits sound, each once, from when it was first seen. Neither texts nor authors are kept.
-- grain: one row per symbol and post
-- keys: symbol, post_id
-- columns:
--   symbol: our name of the perpetual whose coin the post is about
--   post_id: the venue's
--   created_ts: ns UTC, when it was written
--   seen_at: ns UTC, when it was first seen
--   compound: score from -1 to +1
--   likes: when it was first seen
--   scorer: who scored, with version
--   available_at: ns UTC, when it was first seen
select
    symbol,
    post_id,
    created_ts,
    seen_at,
    compound,
    likes,
    scorer,
    available_at
from raw_reddit__scored_posts
