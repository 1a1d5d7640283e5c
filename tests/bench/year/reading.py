"""What feedback says over HTTP after the year, read as a supervisor would."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

MONTHS = tuple(f"2025-{month:02}" for month in range(1, 13))
PAGE = 500
RATES = ("responded", "solved", "satisfied")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A round that feedback doubts."""

    ticket: UUID
    round: int
    unit: str
    kinds: tuple[str, ...]


class Reading:
    """Reads by HTTP. Raises for whatever is not answered with 200 or 201."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **params: Any) -> Any:
        """Return what a path answers."""
        answer = await self._http.get(f"/feedback/v1/{path}", params=params)
        answer.raise_for_status()
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        """Give a command and return the answer."""
        answer = await self._http.post(f"/feedback/v1/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def pages(self, path: str, **params: Any) -> list[Any]:
        """Return all items of a list."""
        items, cursor = [], None
        while True:
            more: dict[str, Any] = {"cursor": cursor} if cursor else {}
            page = await self.get(path, limit=PAGE, **params, **more)
            items += page["items"]
            cursor = page["next"]
            if not cursor:
                return items

    async def scores(self, month: str, **params: Any) -> dict[str, dict[str, Any]]:
        """Return the scores of a month by unit."""
        return {one["unit"]["code"]: one for one in await self.get(f"scores/{month}", **params)}

    async def published_at(self, month: str) -> datetime:
        """Return when a month was published first."""
        return datetime.fromisoformat((await self.get(f"scores/{month}/versions"))[0]["at"])

    async def doubts(self, month: str) -> list[Doubt]:
        """Return what is doubted of the rounds resolved in a month."""
        return [
            Doubt(UUID(one["ticket_id"]), one["round"], one["unit"]["code"], tuple(one["kinds"]))
            for one in await self.pages("doubts", period=month)
        ]

    async def figures(self, *kpis: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return figures of the whole year by unit and month, each as the route has it."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for one in await self.get("figures", kpi=list(kpis), period="2025", by=["unit", "month"]):
            found.setdefault((one["group"][0], one["group"][1]), {})[one["kpi"]] = one
        return found

    async def everything(self) -> dict[str, Any]:
        """Return all figures of the year that are read by month or unit, by where and of what they are.

        Each month's scores lose the number of the version that was asked for, which every ruling raises.
        """
        found: dict[str, Any] = {}
        codes = [kpi["code"] for kpi in await self.get("kpis")]
        for start in range(0, len(codes), 10):
            for (unit, month), row in (await self.figures(*codes[start : start + 10])).items():
                for kpi, figure in row.items():
                    found[f"figures {month} {unit} {kpi}"] = figure
        for month in MONTHS:
            for unit, score in (await self.scores(month)).items():
                found[f"scores {month} {unit}"] = {k: v for k, v in score.items() if k not in {"version", "since"}}
            for path in ("scorecards", "quality", "topics", "false-closings"):
                for number, one in enumerate(await self.get(path, period=month)):
                    name = one["unit"]["code"] if "unit" in one else str(number)
                    found[f"{path} {month} {name}"] = {**one, "version": None}
        return found
