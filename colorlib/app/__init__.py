"""The page in the browser: ``make app``, or ``streamlit run colorlib/app/main.py``."""
