-- description: How people write about a coin, by hour and place. A post counts in the hour it was first seen, not in which it
--   was written: only then could it be known. Posts are those the venues gave, up to a limit a look; hours without a row are
--   hours without a post or without a look. `tone` is the mean score; loud posts weigh more in `tone_by_likes`.
-- grain: one row per symbol, source and hour
-- keys: symbol, source, ts
-- parameters:
--   sounds = 0.05: score from which a post counts as positive, and below its negative as negative (the scorer's own bound)
-- columns:
--   symbol: our name of the perpetual
--   source: reddit or x
--   ts: ns UTC, begin of the hour
--   posts: how many
--   tone: mean score, -1 to +1
--   tone_by_likes: mean score weighted by 1 + likes
--   positive_share: fraction of the posts
--   negative_share: fraction of the posts
--   available_at: ns UTC, when the last of them was seen
with posts as (
    select 'reddit' as source, symbol, post_id, seen_at, compound, likes, available_at from stg_reddit__posts
    union all
    select 'x', symbol, post_id, seen_at, compound, likes, available_at from stg_x__posts
)

select
    symbol,
    source,
    seen_at // 3600000000000 * 3600000000000 as ts,
    count(*) as posts,
    avg(compound order by post_id) as tone,
    sum(compound * (1 + greatest(likes, 0)) order by post_id) / sum(1 + greatest(likes, 0)) as tone_by_likes,
    avg((compound >= $sounds)::int) as positive_share,
    avg((compound <= -$sounds)::int) as negative_share,
    max(available_at) as available_at
from posts
group by all
