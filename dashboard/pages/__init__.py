"""One file a page. Streamlit runs them as scripts, top to bottom, each time the page is drawn."""
