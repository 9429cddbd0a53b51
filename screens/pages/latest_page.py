"""A screen that keeps up with a held key: one question at a time, and of those asked meanwhile only the last."""

from __future__ import annotations

from screens.pages.page import Page


class LatestPage(Page):
    """A page that lets a question be answered before it asks the next one.

    On other pages a newer question calls off an older one, so that nothing would be seen while a key is held.
    """

    loading = False
    """Whether a question is under way."""
    again = False
    """Whether another one waits for its answer."""

    @property
    def between(self) -> bool:
        """Another question may wait for the answer to the one before."""
        return super().between or self.again

    def reload(self) -> None:
        """Ask again, once the question under way is answered."""
        if self.loading:
            self.again = True
        else:
            super().reload()

    async def _load(self) -> None:
        self.loading = True
        try:
            await super()._load()
            while self.again:
                self.again, self.behind = False, True
                await super()._load()
        finally:
            self.loading = self.again = False
