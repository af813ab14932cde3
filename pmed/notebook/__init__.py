"""What makes pmed at home in a notebook: rich displays, the explorer, JupyterLab itself.

Nothing here works anything out: displays show what the tables of a `Result` hold.
"""
