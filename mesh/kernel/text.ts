export { printable } from "../../components/shared/printable";
