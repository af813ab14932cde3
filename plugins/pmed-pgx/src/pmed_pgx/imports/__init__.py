"""From published files to the release's own tables (``schema``): one module a publisher, nothing read at run time."""
