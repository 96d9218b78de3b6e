import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules", "coverage", "dist", "examples", "**/*.js", "**/*.mjs"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "@pulumi": pulumi },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      // Numbers read well in messages; everything else must say how it becomes text.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // The Kubernetes client's models are classes, but everybody gives it plain objects.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      // A component is made for its effect: `new Role(…)` with nothing to keep is how Pulumi programs read.
      "no-new": "off",
    },
  },
);
