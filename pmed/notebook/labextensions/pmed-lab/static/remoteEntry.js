// JupyterLab's container of this extension, written by hand: it takes the shared modules that JupyterLab offers, and
// gives one plugin that adds "New patient" and "New predictor" to the launcher. Nothing is built.
(() => {
  const here = new URL(".", document.currentScript.src);
  let shared;

  // A module that JupyterLab itself runs: the one that is loaded, else any.
  async function take(name) {
    const versions = Object.values(shared[name] ?? {});
    const chosen = versions.find(one => one.loaded) ?? versions[0];
    return chosen ? (await chosen.get())() : null;
  }

  async function freeName(contents, folder, name) {
    const held = new Set((await contents.get(folder)).content.map(one => one.name));
    for (let number = 1; ; number++) {
      const file = number === 1 ? `${name}.ipynb` : `${name}-${number}.ipynb`;
      if (!held.has(file)) return folder ? `${folder}/${file}` : file;
    }
  }

  async function create(app, kind, folder) {
    const answer = await fetch(new URL("templates.json", here));
    const cells = (await answer.json())[kind].map(([type, source], number) => ({
      cell_type: type, source, metadata: {}, id: `${kind}-${number + 1}`,
      ...(type === "code" ? { outputs: [], execution_count: null } : {}),
    }));
    const contents = app.serviceManager.contents;
    const path = await freeName(contents, folder, kind);
    await contents.save(path, { type: "notebook", format: "json", content: {
      cells, nbformat: 4, nbformat_minor: 5,
      metadata: { kernelspec: { name: "python3", display_name: "Python 3", language: "python" } },
    } });
    return app.commands.execute("docmanager:open", { path, factory: "Notebook", kernel: { name: "python3" } });
  }

  const DRAWN = {
    "new-patient": '<circle cx="12" cy="8" r="4.2" class="jp-icon3" fill="#616161"/><path class="jp-icon3" fill="#616161" d="M4 21c0-5 3.500-7.500 8-7.500s8 2.500 8 7.500z"/>',
    "new-predictor": '<path class="jp-icon3" fill="#616161" d="M4 20V4h2v14h14v2z"/><path fill="none" class="jp-icon3" stroke="#616161" stroke-width="2" d="M8 15l4-5 3 3 5-7"/>',
  };
  const ENTRIES = [["new-patient", "New patient", "A genome and a record to one explained plan"],
                   ["new-predictor", "New predictor", "Write a predictor and try it on the embedded patients"]];

  async function plugin() {
    const { ILauncher } = await take("@jupyterlab/launcher");
    const { LabIcon } = await take("@jupyterlab/ui-components");
    return {
      id: "pmed-lab:launcher", description: "Launcher entries of pmed.", autoStart: true, optional: [ILauncher],
      activate(app, launcher) {
        ENTRIES.forEach(([kind, label, caption], rank) => {
          const icon = new LabIcon({ name: `pmed-lab:${kind}`, svgstr:
            `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">${DRAWN[kind]}</svg>` });
          const command = `pmed-lab:${kind}`;
          app.commands.addCommand(command, { label, caption, icon, execute: args => create(app, kind, args.cwd ?? "") });
          launcher?.add({ command, category: "pmed", rank });
        });
      },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["pmed-lab"] = {
    init: scope => { shared = scope; },
    get: async name => {
      if (name !== "./extension") throw new Error(`pmed-lab has no module ${name}`);
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
