"""The what-if explorer: one page, in the browser and in a notebook, where every click moves the posterior.

The way of a click is one way: `page.js` sends what was done; `actions` makes a new `Page` of it, a frozen record of
all that the page holds; `Situation` asks the model; the views make plain values of the answers, the templates HTML of
those; and `Session` sends back the regions of the page that have changed. Only `component`, `server` and `notebook`
know Panel.
"""
