"""Writes the JSON schemas of Kubernetes that kubeconform reads offline, from the package kubernetes-validate.

python3 fetch-schemas.py FOLDER 1.31 1.36 ...
"""
import glob, json, os, subprocess, sys, tempfile, zipfile

folder, versions = sys.argv[1], sys.argv[2:]
with tempfile.TemporaryDirectory() as work:
    subprocess.run(
        [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "-d", work, "kubernetes-validate==1.37.0"], check=True
    )
    archive = zipfile.ZipFile(glob.glob(work + "/*.whl")[0])
    for name in archive.namelist():
        parts = name.split("/")
        if len(parts) != 4 or parts[1] != "kubernetes-json-schema":
            continue
        version = parts[2].replace("-local", "")  # v1.36.0 or v1.36.0-strict
        if version.removeprefix("v").rsplit(".", 1)[0] not in versions or not version.endswith("-strict"):
            continue
        os.makedirs(f"{folder}/{version}", exist_ok=True)
        # The package resolves references itself; kubeconform wants them as names of files.
        schema = json.loads(archive.read(name).replace(b"/api/_definitions.json#", b"_definitions.json#"))
        schema.pop("$id", None)
        with open(f"{folder}/{version}/{parts[3]}", "w") as out:
            json.dump(schema, out, separators=(",", ":"))
open(f"{folder}/complete", "w").close()
