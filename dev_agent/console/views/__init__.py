"""The pages, one a file: `render(place)` shows it. (A folder named `pages` would be taken by Streamlit itself.)"""
