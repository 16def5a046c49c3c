"""The server of the page, for ``streamlit run``: it answers to its own host names only.

A page of somebody else's may point a host name of its own at this machine (DNS rebinding) and would then pass for this
page. It is known by the name it asks for. Streamlit itself asks for that at its WebSocket alone.
"""

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from streamlit import config

hosts = sorted({"localhost", "127.0.0.1", *config.get_option("server.allowedHosts")})  # names given are added
config.set_option("server.allowedHosts", hosts)  # for Streamlit's own check
app = st.App("frame.py", middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)])
