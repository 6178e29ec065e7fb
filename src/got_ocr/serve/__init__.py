"""The service: HTTP in, readings out. The only room that knows FastAPI; it decodes nothing and loads no model itself.

guard    sockets: time, size and number of connections       wire, child   processes and what is said to them
gate     every request: id, host, key, headers, errors, log  chore(s)      decode and render, in limited processes
limits   bodies, JSON, base64, forms                         worker, fleet the model, in a process that may die
routes, openai, jobs_api, page                               reader        a request's pages through all of these
"""
