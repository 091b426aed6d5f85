"""A Ray cluster: joining one, or starting one on this machine for the time of a run."""

import shutil
import tempfile
from typing import Any

from limner.training.config import RayConfig


class Cluster:
    """A connection to Ray. ``processes`` of one core each are going to be started there."""

    def __init__(self, options: RayConfig, processes: int) -> None:
        """``ValueError`` without Ray, or where there is no cluster with enough cores at the address."""
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ValueError(f'--runtime ray needs Ray ({error}): pip install "limner[ray]"') from None
        self.ray: Any = ray
        self.joined = ray.is_initialized()
        self._folder = ""
        if options.address:
            self._join(options.address)
        elif not self.joined:
            self._start(options, processes)
        cores = int(self.ray.cluster_resources().get("CPU", 0))
        if cores < processes:
            self.close()
            raise ValueError(
                f"actors is {options.actors}: with the critic these are {processes} processes, and the cluster has "
                f"{cores} cores; choose fewer"
            )

    def close(self) -> None:
        """Leave the cluster; end it, if it was started here."""
        if not self.joined:
            self.ray.shutdown()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, options: RayConfig, processes: int) -> None:
        self._folder = tempfile.mkdtemp(prefix="limner-ray-")
        self.ray.init(
            num_cpus=processes,
            num_gpus=0,
            object_store_memory=options.object_store << 20,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=self._folder,
        )

    def _join(self, address: str) -> None:
        if self.joined:
            return
        try:
            self.ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            why = " ".join(str(error).split())[:300]
            raise ValueError(f"address is {address!r}: cannot join a Ray cluster there ({why})") from None
